using Freeflow.Actors.Connections;
using Freeflow.Actors.Containers;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;

namespace Freeflow.Actors.QueuePairs;

/// <summary>What a QP is to be.</summary>
public sealed record QueuePairSpec(
    ControlPlane Plane, EngineConnection Connection, uint Handle, uint Number, uint Domain,
    EngineCompletionQueue SendCq, EngineCompletionQueue ReceiveCq, ExCreateQpCommand Command, ContainerDevice Device)
{
    /// <summary>The SRQ that it takes its receives from; null when it has its own.</summary>
    public EngineReceiveQueue? Shared { get; init; }
}

/// <summary>What a QP's actor is asked; it answers its connection.</summary>
public static class QueuePairProtocol
{
    public sealed record Modify(ModifyQpCommand Command, ContainerDevice Device, UverbsCall Call);

    public sealed record Query(UverbsCall Call);

    /// <summary>Answered by <see cref="ConnectionProtocol.Removed"/>.</summary>
    public sealed class Destroy
    {
        public static Destroy Instance { get; } = new();
    }
}

/// <summary>What the engine reports of a QP.</summary>
public static class QueuePairEvents
{
    public sealed record Failed(QueuePairFault Fault);

    public sealed class Established
    {
        public static Established Instance { get; } = new();
    }

    /// <summary>It is in the error state and takes no more receives of its SRQ.</summary>
    public sealed class LastReceiveTaken
    {
        public static LastReceiveTaken Instance { get; } = new();
    }

    public sealed class Drained
    {
        public static Drained Instance { get; } = new();
    }
}
