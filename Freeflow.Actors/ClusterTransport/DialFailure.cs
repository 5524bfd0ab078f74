using Akka.Actor;

namespace Freeflow.Actors.ClusterTransport;

/// <summary>Why another router can't be spoken with.</summary>
/// <param name="To">The other one.</param>
/// <param name="Reason">For people.</param>
/// <param name="IsDistrust">Somebody is there, but one of both does not take the other for a member.</param>
public sealed record DialFailure(Address To, string Reason, bool IsDistrust);
