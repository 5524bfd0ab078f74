using Freeflow.Actors.Connections;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Memory;

namespace Freeflow.Actors.SharedReceiveQueues;

/// <summary>What an SRQ is to be.</summary>
public sealed record SharedReceiveQueueSpec(
    VerbsEngine Engine, EngineNews News, EngineConnection Connection, ProcessMemory Memory, uint Handle, CreateXsrqCommand Command);

/// <summary>What an SRQ's actor is asked; it answers its connection.</summary>
public static class SharedReceiveQueueProtocol
{
    /// <param name="Command">The core's part.</param>
    /// <param name="MmapInfoAddress">Where in the process the new ring's place is to be written.</param>
    public sealed record Modify(ModifySrqCommand Command, ulong MmapInfoAddress);

    public sealed record Query(UverbsCall Call);

    /// <summary>Answered by <see cref="ConnectionProtocol.Removed"/>.</summary>
    public sealed class Destroy
    {
        public static Destroy Instance { get; } = new();
    }
}

/// <summary>What the engine reports of an SRQ.</summary>
public static class SharedReceiveQueueEvents
{
    public sealed class LimitReached
    {
        public static LimitReached Instance { get; } = new();
    }
}
