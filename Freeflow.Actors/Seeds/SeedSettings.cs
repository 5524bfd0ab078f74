using System.Net;

namespace Freeflow.Actors.Seeds;

/// <summary>How a router finds its cluster.</summary>
/// <param name="Own">Where it is itself.</param>
/// <param name="By">Methods of Akka.Discovery, by their names, in the order in which they are asked.</param>
/// <param name="FormAfter">How long the one that may start a cluster listens whether there is one.</param>
/// <param name="MissedAfter">How long a router looks for its cluster in silence.</param>
/// <param name="LookEvery">How often a member looks for seeds that are none.</param>
public sealed record SeedSettings(IPEndPoint Own, IReadOnlyList<string> By, TimeSpan FormAfter, TimeSpan MissedAfter, TimeSpan LookEvery);
