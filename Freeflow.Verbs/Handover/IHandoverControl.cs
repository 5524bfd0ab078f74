using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>Which router has an address. Read on TCP mode's thread: local, and without waiting.</summary>
public interface IAddressOwners
{
    /// <summary>The peer's number of an address of a tenant (<see cref="Tenant.Key"/>), <see cref="Engine.EngineQueuePair.SameRouter"/> for this router; null when no member has it.</summary>
    int? OwnerOf(ulong tenant, Ipv4 address);
}

/// <summary>
/// Who may connect to whom. Asked by the listener's router before a connection is queued, since no filter of the overlay
/// sees it, and by the client's before a socket is given. On TCP mode's thread: local, and without waiting.
/// </summary>
public interface IHandoverPolicy
{
    bool Allows(ulong fromTenant, Ipv4 from, ulong toTenant, Ipv4 to, ushort port);
}

/// <summary>What TCP mode reports. Called on its thread: an implementation must only hand the news on.</summary>
public interface IHandoverEvents
{
    /// <summary>A container of this host has begun a connection.</summary>
    void Announced(in AnnouncedFlow flow);

    /// <summary>A connection has come and is on its way to a container of this host.</summary>
    void Accepted(in AcceptedFlow flow);

    /// <summary>A process has closed its end, or broken the protocol for this reason.</summary>
    void ProcessEnded(HandoverProcess process, string reason);

    /// <summary>A listener's socket is gone, or listens no more; processes may still have the queue's end.</summary>
    void ListenerGone(DeliveryChannel listener);

    /// <summary>The last holder of a listener's queue has closed it.</summary>
    void ListenerEnded(DeliveryChannel listener);

    void HandoverLinkUp(int peer);

    void HandoverLinkDown(int peer, string reason);

    /// <summary>Something that an operator should know; rare.</summary>
    void Noticed(string what);
}

/// <summary>A connection over the host's network, as its client's router knows it.</summary>
/// <param name="Container">The client's.</param>
/// <param name="Ends">As the client sees them.</param>
/// <param name="HostPort">The local port of the socket that carries it.</param>
/// <param name="PeerAddress">The router it goes to.</param>
/// <param name="PeerPort">Its endpoint.</param>
/// <param name="Cookie">By which the kernel tells its socket from every other, of before and after.</param>
public readonly record struct AnnouncedFlow(HandoverContainer Container, VirtualEnds Ends, int HostPort, Ipv4 PeerAddress, int PeerPort, ulong Cookie);

/// <summary>The same as its server's router knows it.</summary>
/// <param name="Container">The server's.</param>
/// <param name="Ends">As the server sees them.</param>
/// <param name="Cookie">By which the kernel tells its socket from every other.</param>
public readonly record struct AcceptedFlow(HandoverContainer Container, VirtualEnds Ends, ulong Cookie);
