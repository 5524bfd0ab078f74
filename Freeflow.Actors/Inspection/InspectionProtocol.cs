namespace Freeflow.Actors.Inspection;

/// <summary>How an operator's question goes down the tree of actors, and the answers come back, each from whom it is about.</summary>
public static class InspectionProtocol
{
    /// <summary>To <see cref="InspectorActor"/>; answered by <see cref="ContainersReport"/>.</summary>
    public sealed record Containers(int Limit);

    /// <summary>To <see cref="InspectorActor"/>; answered by <see cref="QueuePairsReport"/>.</summary>
    public sealed record QueuePairs(int Limit);

    /// <summary>To <see cref="InspectorActor"/>; answered by <see cref="MemoryRegionsReport"/>.</summary>
    public sealed record MemoryRegions(int Limit);

    /// <summary>
    /// To the containers' actor, and on to each container and connection: each answers the sender by a <see cref="Seen"/> of its own. Of one
    /// connection's QPs at most <paramref name="QueuePairs"/> are asked, of its MRs at most <paramref name="MemoryRegions"/>.
    /// </summary>
    public sealed record Look(int QueuePairs, int MemoryRegions = 0);

    /// <summary>To a QP, from its connection in the asker's name.</summary>
    public sealed record LookAtQueuePair(string Container, int Pid);

    /// <summary>To an MR, the same.</summary>
    public sealed record LookAtMemoryRegion(string Container, int Pid);

    /// <summary>One answer; <paramref name="Below"/> is how many others it has asked on, <paramref name="NotAsked"/> how many QPs or MRs it has not.</summary>
    public sealed record Seen(int Below, object? What = null, int NotAsked = 0);
}

/// <summary>A container, without what its connections know.</summary>
/// <param name="Id">Its network namespace.</param>
/// <param name="Tenant">Whose it is.</param>
/// <param name="Addresses">As its network namespace has them.</param>
/// <param name="IsPrivileged">Whether one of its processes could do to the host's network what it likes, so that TCP mode is off for it.</param>
/// <param name="Listeners">In TCP mode.</param>
public sealed record ContainerSeen(string Id, string Tenant, IReadOnlyList<AddressSeen> Addresses, bool IsPrivileged, int Listeners);

/// <param name="Address">The address.</param>
/// <param name="Interface">The container's name for the interface: anything may be in it.</param>
/// <param name="IsOwn">False while another container has it.</param>
public sealed record AddressSeen(string Address, string Interface, bool IsOwn);

/// <summary>A shim's connection.</summary>
/// <param name="Container">Its container's <see cref="ContainerSeen.Id"/>.</param>
/// <param name="Pid">As the router sees it; 0 when it can't.</param>
/// <param name="Kind">verbs, tcp or rdma_cm; "new" before it has said.</param>
/// <param name="Objects">What it holds.</param>
public sealed record ConnectionSeen(string Container, int Pid, string Kind, ObjectCounts Objects);

/// <summary>A QP as its actor and the engine have it.</summary>
/// <param name="Container">Its container's <see cref="ContainerSeen.Id"/>.</param>
/// <param name="Pid">Of the process that has opened the device, as the router sees it; 0 when it can't.</param>
/// <param name="Number">The QPN.</param>
/// <param name="Type">RC, UC or UD.</param>
/// <param name="State">As verbs calls it: RESET, INIT, RTR, RTS, SQD, SQE, ERR.</param>
/// <param name="Local">Its GID's address; null while it has no peer.</param>
/// <param name="Peer">The peer's GID's address; null while there is none, and for UD.</param>
/// <param name="PeerNumber">The peer's QPN; null where <paramref name="Peer"/> is.</param>
/// <param name="Router">The router that has the peer's address now; null when none is known.</param>
/// <param name="Sends">Work requests of its send queue that were carried out since RESET, modulo 2³².</param>
/// <param name="Pending">Those that are under way.</param>
/// <param name="Receives">Receives that messages have taken since RESET, modulo 2³².</param>
public sealed record QueuePairSeen(
    string Container, int Pid, uint Number, string Type, string State, string? Local, string? Peer, uint? PeerNumber, string? Router, uint Sends, uint Pending, uint Receives);

/// <summary>A memory region.</summary>
/// <param name="Container">Its container's <see cref="ContainerSeen.Id"/>.</param>
/// <param name="Pid">Of the process that has opened the device, as the router sees it; 0 when it can't.</param>
/// <param name="Key">Its lkey, and its rkey where a peer has any right.</param>
/// <param name="Start">Where peers and work requests find it, in hexadecimal.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Access">As verbs calls the rights, without IBV_ACCESS_; empty: local reads alone.</param>
public sealed record MemoryRegionSeen(string Container, int Pid, uint Key, string Start, ulong Length, string Access);
