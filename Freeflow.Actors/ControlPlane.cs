using Akka.Actor;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Draining;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Policy;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;

namespace Freeflow.Actors;

/// <summary>What the actors of the control plane share.</summary>
/// <param name="Engine">The software NIC.</param>
/// <param name="Book">Who owns which address.</param>
/// <param name="Directory">The directory's actor.</param>
/// <param name="Numbers">QPNs, keys and PD numbers.</param>
/// <param name="News">Finds the actor of an engine object.</param>
/// <param name="Limits">What a connection may have.</param>
/// <param name="Handover">TCP mode.</param>
/// <param name="HandoverNews">Finds the actor of an object of TCP mode's.</param>
/// <param name="AcceleratesPrivileged">Whether containers with CAP_NET_ADMIN over the host's network get host sockets all the same.</param>
/// <param name="Exchange">Where requests for connections go.</param>
/// <param name="Connections">What the connection managers have done.</param>
/// <param name="Tenants">Tells whose a container is.</param>
/// <param name="Policy">Who may talk to whom.</param>
public sealed record ControlPlane(
    VerbsEngine Engine,
    AddressBook Book,
    IActorRef Directory,
    NumberAllocator Numbers,
    EngineNews News,
    ConnectionLimits Limits,
    HandoverLoop Handover,
    HandoverNews HandoverNews,
    bool AcceleratesPrivileged,
    IActorRef Exchange,
    ConnectionCounters Connections,
    TenantRules Tenants,
    PolicyInForce Policy)
{
    /// <summary>The containers that are served, for whoever counts.</summary>
    public ContainerRegister Register { get; init; } = new();

    /// <summary>Whether nothing new is taken.</summary>
    public DrainSwitch Drain { get; init; } = new();
}

/// <summary>Bounds for one open device; beyond them the kernel's errno for "no more" (ENOMEM) is given.</summary>
public sealed record ConnectionLimits
{
    public int QueuePairs { get; init; } = 1024;

    public int CompletionQueues { get; init; } = 1024;

    public int MemoryRegions { get; init; } = 8192;

    public int MemoryWindows { get; init; } = 8192;

    public int SharedReceiveQueues { get; init; } = 1024;

    public int ProtectionDomains { get; init; } = 1024;

    public int AddressHandles { get; init; } = 32768;

    public int MulticastAttachments { get; init; } = 1024;

    public int CompletionChannels { get; init; } = 4096;

    /// <summary>Of rdma_cm, for each container.</summary>
    public int CommunicationIds { get; init; } = 16384;

    public long RegisteredBytes { get; init; } = 64L << 30;

    public long SharedBytes { get; init; } = 8L << 30;

    /// <summary>Beyond which a container's devices together get no more.</summary>
    public ContainerLimits Container { get; init; } = new();

    /// <summary>Whether a process's pages may become shared memory; else everything is copied through the kernel.</summary>
    public bool SharePages { get; init; } = true;
}
