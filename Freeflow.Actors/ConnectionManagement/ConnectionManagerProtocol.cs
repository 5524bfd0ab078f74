using Akka.Actor;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Tracing;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.ConnectionManagement;

/// <summary>What a container's connection manager is told.</summary>
public static class ConnectionManagerProtocol
{
    /// <summary>From a connection: a process has opened rdma_cm; its events are shown by the signal.</summary>
    public sealed record Open(ReadinessSignal Signal);

    /// <summary>
    /// From a connection: a command, answered with a <see cref="Connections.ConnectionProtocol.Answer"/>.
    /// <paramref name="Other"/> is the descriptor that came along with MIGRATE_ID.
    /// </summary>
    public sealed record Call(RdmaCmCall Command, FileIdentity? Other)
    {
        /// <summary>Whose it is, for traces; nobody's while there are none.</summary>
        public CallOrigin Origin { get; init; }
    }

    /// <summary>From an id: something for its application. <paramref name="Group"/> is the joined group that it is about.</summary>
    public sealed record Raise(RdmaCmEventResponse Event, uint? Group = null);

    /// <summary>The container's addresses are others now.</summary>
    public sealed record DeviceChanged(ContainerDevice Device);

    /// <summary>The container's addresses that nobody else has: for these requests come here.</summary>
    public sealed record Serve(IReadOnlyList<Gid> Addresses);

    /// <summary>From the exchange: a request for an address of this container. The span ends when it is known what becomes of it here.</summary>
    public sealed record Incoming(CommunicationProtocol.Request Request, IActorRef From, ControlSpan Span = default);

    /// <summary>To an id: the application wants to be in a group, which has this number from now on. The span is the call's.</summary>
    public sealed record Join(uint Group, ulong Uid, RdmaAddress Address, IActorRef Asker, ControlSpan Span);

    /// <summary>From an id: whether it is in the group; 0 or the kernel's errno.</summary>
    public sealed record Joined(Join Join, int Errno);
}
