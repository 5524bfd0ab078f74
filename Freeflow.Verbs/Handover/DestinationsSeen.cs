using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>Where processes of this host have asked to connect to, and what they were told.</summary>
/// <param name="Destinations">With how many processes were told it.</param>
/// <param name="Total">How many routes there are.</param>
/// <param name="Looked">How many of them were looked at.</param>
public sealed record DestinationsSeen(IReadOnlyDictionary<DestinationSeen, int> Destinations, int Total, int Looked);

/// <param name="Container">Whose processes.</param>
/// <param name="Tenant">The container's.</param>
/// <param name="Address">Where to.</param>
/// <param name="Port">The same.</param>
/// <param name="Reason">Why connections are plain; None: they are accelerated.</param>
public readonly record struct DestinationSeen(string Container, string Tenant, Ipv4 Address, int Port, PlainReason Reason);
