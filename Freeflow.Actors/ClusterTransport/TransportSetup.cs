using System.Net;
using Akka.Actor.Setup;

namespace Freeflow.Actors.ClusterTransport;

/// <summary>Whom <see cref="RouterTransport"/> speaks with. A system without it speaks with everybody.</summary>
/// <param name="Certificates">By which routers know each other; null: they don't, and nothing is encrypted.</param>
/// <param name="Allowed">Without certificates: the network from which connections are taken; null: from everywhere.</param>
/// <param name="Undialed">Told of those that could not be connected to, or have ended the connection for a reason.</param>
public sealed class TransportSetup(ClusterCertificates? certificates, IPNetwork? allowed, Action<DialFailure>? undialed = null) : Setup
{
    public ClusterCertificates? Certificates { get; } = certificates;

    public IPNetwork? Allowed { get; } = allowed;

    public Action<DialFailure>? Undialed { get; } = undialed;
}
