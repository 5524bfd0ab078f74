using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Rings;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// Receives that an application posts by writing into a ring: a QP's own, or an SRQ that several QPs take from. Everything but
/// the constructor runs on the engine's thread.
/// </summary>
public sealed class EngineReceiveQueue : IDisposable
{
    private const int EntryBytes = 16;

    private EngineReceiveQueue(EngineConnection connection, SharedRing ring, int maximumSges, bool isShared)
    {
        Connection = connection;
        Ring = ring;
        MaximumSges = maximumSges;
        IsShared = isShared;
    }

    public EngineConnection Connection { get; }

    public SharedRing Ring { get; private set; }

    /// <summary>SGEs that a receive may have.</summary>
    public int MaximumSges { get; }

    /// <summary>Whether it is an SRQ.</summary>
    public bool IsShared { get; }

    /// <summary>
    /// An SRQ's limit: once fewer receives than this are left, that is reported and the limit is taken off. 0: no limit. Other
    /// threads may read it.
    /// </summary>
    public uint Limit { get; internal set; }

    /// <summary>The next receive to take.</summary>
    internal uint Head { get; private set; }

    /// <summary>How many receives are posted and not taken.</summary>
    internal uint Posted => Ring.Distance(Head, Ring.Producer);

    /// <summary>QPs that take from it.</summary>
    internal int Users { get; set; }

    /// <summary>What one QP may count on: of an SRQ, its part of what is posted.</summary>
    internal uint Share => Users > 1 ? (Posted + (uint)Users - 1) / (uint)Users : Posted;

    /// <summary>Makes the receive queue of one QP.</summary>
    public static EngineReceiveQueue Create(EngineConnection connection, EngineCompletionQueue completionQueue, uint qpn, int entries, int sges) =>
        new(connection, NewRing(connection, $"freeflow-rq-{connection.Token:x16}-{completionQueue.Handle:x}-{qpn:x}", entries, sges), sges, isShared: false);

    /// <summary>Makes an SRQ.</summary>
    public static EngineReceiveQueue CreateShared(EngineConnection connection, uint handle, int entries, int sges, uint limit) =>
        new(connection, NewSharedRing(connection, handle, entries, sges), sges, isShared: true) { Limit = limit };

    /// <summary>A ring for an SRQ to be moved to.</summary>
    public static SharedRing NewSharedRing(EngineConnection connection, uint handle, int entries, int sges) =>
        NewRing(connection, $"freeflow-srq-{connection.Token:x16}-{handle:x}", entries, sges);

    public void Dispose() => Ring.Dispose();

    /// <summary>The next receive's slot, which is then its taker's to read; default when none is posted.</summary>
    internal bool TryTake(out ReadOnlySpan<byte> element)
    {
        if (Head == Ring.Producer)
        {
            element = default;
            return false;
        }

        element = Ring.Slot(Head);
        Head = Ring.Next(Head);
        return true;
    }

    /// <summary>Lets the application have the slots of everything taken.</summary>
    internal void Publish() => Ring.Consumer = Head;

    internal void Clear()
    {
        Ring.Clear();
        Head = 0;
    }

    /// <summary>Takes the limit off when it is undercut. True the one time.</summary>
    internal bool FallsBelowLimit()
    {
        if (Limit == 0 || Posted >= Limit)
            return false;
        Limit = 0;
        return true;
    }

    /// <summary>
    /// Moves what is posted to another ring. False, and nothing is changed, when that is too small. The application posts
    /// nothing meanwhile: its library holds the queue's lock.
    /// </summary>
    internal bool TryMoveTo(SharedRing ring)
    {
        if (ring.ElementBytes != Ring.ElementBytes || Posted > ring.Capacity)
            return false;
        uint to = 0;
        for (var producer = Ring.Producer; Head != producer; Head = Ring.Next(Head), to = ring.Next(to))
            Ring.Slot(Head).CopyTo(ring.Slot(to));
        Ring = ring;
        Ring.Producer = to;
        Head = 0;
        return true;
    }

    private static SharedRing NewRing(EngineConnection connection, string name, int entries, int sges) =>
        SharedRing.Create(name, entries, ReceiveWqeHead.Size + (Math.Max(1, sges) * EntryBytes), connection.Rings);
}
