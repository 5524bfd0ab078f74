using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Rings;

namespace Freeflow.Verbs.Engine;

/// <summary>How many events a destroyed CQ's owner has read, or may still read, from its channel.</summary>
public readonly record struct CompletionQueueCounts(uint CompletionEvents);

/// <summary>A CQ: the engine produces completions, the application consumes them without a call.</summary>
public sealed class EngineCompletionQueue : IDisposable
{
    private readonly EventStream? _channel;
    private readonly ulong _userHandle;
    private uint _producer;
    private uint _eventsWritten;
    private bool _overrun;

    private EngineCompletionQueue(EngineConnection connection, uint handle, SharedRing ring, EventStream? channel, ulong userHandle)
    {
        Connection = connection;
        Handle = handle;
        Ring = ring;
        _channel = channel;
        _userHandle = userHandle;
    }

    public EngineConnection Connection { get; }

    /// <summary>Below <see cref="EngineConnection.MaximumCompletionQueues"/>: the CQ's place in the doorbell memory.</summary>
    public uint Handle { get; }

    public SharedRing Ring { get; private set; }

    /// <summary>Makes a CQ for at least <paramref name="entries"/> completions.</summary>
    public static EngineCompletionQueue Create(
        EngineConnection connection, uint handle, int entries, EventStream? channel, ulong userHandle)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(handle, (uint)EngineConnection.MaximumCompletionQueues);
        return new EngineCompletionQueue(connection, handle, NewRing(connection, handle, entries), channel, userHandle);
    }

    /// <summary>A ring for a CQ of this handle.</summary>
    public static SharedRing NewRing(EngineConnection connection, uint handle, int entries) =>
        SharedRing.Create($"freeflow-cq-{connection.Token:x16}-{handle:x}", entries, Marshal.SizeOf<WorkCompletion>(), connection.Rings);

    public void Dispose() => Ring.Dispose();

    /// <summary>Writes a completion; returns false when the application left no room for it, which loses it.</summary>
    internal bool TryPush(in WorkCompletion completion, bool solicited)
    {
        var next = Ring.Next(_producer);
        if (next == Ring.Consumer)
            return false;
        MemoryMarshal.Write(Ring.Slot(_producer), completion);
        _producer = next;
        Ring.Producer = next;
        if (_channel is not null)
            Notify(solicited || completion.Status != WorkCompletionStatus.Success);
        return true;
    }

    /// <summary>
    /// Moves the completions that the application has not taken to another ring. False, and nothing is changed, when there are
    /// more than the <paramref name="entries"/> that it was to have. The application takes none meanwhile: its library holds the
    /// CQ's lock.
    /// </summary>
    internal bool TryMoveTo(SharedRing ring, int entries)
    {
        var from = Ring.Consumer;
        if (Ring.Distance(from, _producer) > Math.Min(entries, ring.Capacity))
            return false;
        uint to = 0;
        for (; from != _producer; from = Ring.Next(from), to = ring.Next(to))
            Ring.Slot(from).CopyTo(ring.Slot(to));
        Ring = ring;
        _producer = to;
        Ring.Producer = to;
        return true;
    }

    /// <summary>True the first time only: a CQ reports its overrun once.</summary>
    internal bool MarkOverrun() => !_overrun && (_overrun = true);

    /// <summary>Forgets the CQ's pending events: those still in the channel are withdrawn, the others are counted.</summary>
    internal CompletionQueueCounts Retire()
    {
        Connection.Doorbell.Disarm(Handle);
        var unread = _channel is null || _eventsWritten == 0 ? 0u : (uint)_channel.Withdraw(_userHandle);
        return new CompletionQueueCounts(_eventsWritten - unread);
    }

    private void Notify(bool solicited)
    {
        // Pairs with the application's arm-then-poll: one of the two sees what the other did.
        Interlocked.MemoryBarrier();
        if (!Connection.Doorbell.TakeArming(Handle, solicited))
            return;
        var description = new CompletionEventDescriptor { CqHandle = _userHandle };
        if (_channel!.TryWrite(MemoryMarshal.AsBytes(new ReadOnlySpan<CompletionEventDescriptor>(in description))))
            _eventsWritten++;
    }
}
