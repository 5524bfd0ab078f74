using System.Runtime.InteropServices;
using Freeflow.Verbs.Memory;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// The page in which one connection's application rings its QPs and arms its CQs (<c>struct ff_doorbell</c>,
/// Freeflow.Shim/protocol.h). The application may scribble in it; all that it can spoil is its own traffic.
/// </summary>
internal sealed class DoorbellMemory : IDisposable
{
    public const int MaximumQueuePairs = 4096;
    public const int MaximumCompletionQueues = 4096;

    private const int AsleepOffset = 0;
    private const int SummaryOffset = 64;
    private const int SendOffset = 128;
    private const int ArmOffset = 1024;
    private const int SendableOffset = ArmOffset + (MaximumCompletionQueues * sizeof(uint));
    private const int Used = SendableOffset + (MaximumQueuePairs / 8);

    public DoorbellMemory()
    {
        var page = Environment.SystemPageSize;
        Memory = SharedMemory.Create("freeflow-doorbell", (Used + page - 1) / page * page);
    }

    public SharedMemory Memory { get; }

    public bool HasRung => Volatile.Read(ref Word(SummaryOffset)) != 0;

    /// <summary>Tells the application whether it must wake the engine.</summary>
    public bool Asleep
    {
        set => Volatile.Write(ref Half(AsleepOffset), value ? 1u : 0u);
    }

    /// <summary>Takes the set of 64-QP groups in which a QP has rung.</summary>
    public ulong TakeSummary() => Interlocked.Exchange(ref Word(SummaryOffset), 0);

    /// <summary>Takes the QPs of a group (0 to 63) that have rung.</summary>
    public ulong TakeGroup(int group) => Interlocked.Exchange(ref Word(SendOffset + (group * sizeof(ulong))), 0);

    /// <summary>
    /// Takes a CQ's arming if a completion of this kind satisfies it. The caller has published the completion and issued
    /// a full fence, so that either it sees the arming here or the application sees the completion.
    /// </summary>
    public bool TakeArming(uint completionQueue, bool solicited)
    {
        ref var arm = ref Half(ArmOffset + ((int)completionQueue * sizeof(uint)));
        var armed = Volatile.Read(ref arm);
        return armed != 0 && (armed != 1 || solicited) && Interlocked.Exchange(ref arm, 0) != 0;
    }

    /// <summary>Tells the application whether a QP takes doorbells: the kernel refuses that of a QP which can't send yet.</summary>
    public void SetSendable(uint queuePair, bool may)
    {
        ref var word = ref Word(SendableOffset + ((int)queuePair / 64 * sizeof(ulong)));
        var bit = 1UL << ((int)queuePair % 64);
        Volatile.Write(ref word, may ? word | bit : word & ~bit);
    }

    public void Disarm(uint completionQueue) => Volatile.Write(ref Half(ArmOffset + ((int)completionQueue * sizeof(uint))), 0);

    public void Dispose() => Memory.Dispose();

    private ref ulong Word(int offset) => ref MemoryMarshal.AsRef<ulong>(Memory.Span(offset, sizeof(ulong)));

    private ref uint Half(int offset) => ref MemoryMarshal.AsRef<uint>(Memory.Span(offset, sizeof(uint)));
}
