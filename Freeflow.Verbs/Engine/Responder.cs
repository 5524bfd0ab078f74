using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// The receiving half of a QP: admits requests in order, places their data, writes receive completions
/// (InfiniBand specification, 9.7.4 and 9.9).
/// </summary>
internal sealed partial class Responder(EngineCore core)
{
    /// <summary>
    /// Decides on a message that brings data (send or write). After <see cref="Verdict.Accept"/> its bytes go to
    /// <see cref="EngineQueuePair.Inbound"/>'s cursor, and then <see cref="Finish"/> is due.
    /// </summary>
    public Verdict Begin(EngineQueuePair qp, in InboundRequest request)
    {
        if (!qp.IsReliable)
            return BeginUnreliable(qp, request);
        var verdict = Admit(qp, request.Sequence);
        if (verdict != Verdict.Accept)
            return verdict;

        qp.Inbound = default;
        var isWrite = IsWrite(request.Opcode);
        if (request.Length > EngineLimits.MaximumMessage || (isWrite && (qp.Access & AccessFlags.RemoteWrite) == 0))
            return Refuse(qp, Verdict.InvalidRequest);

        if (request.Opcode != WorkRequestOpcode.RdmaWrite && !TryTakeReceive(qp, out verdict))
            return verdict;

        var cursor = default(MemoryCursor);
        if (isWrite)
        {
            cursor = WriteCursor(qp, request);
            if (!cursor.IsValid(core.Keys))
                return Refuse(qp, Verdict.RemoteAccessError);
        }
        else
        {
            if (request.Length > qp.Receive.Length)
            {
                CompleteReceive(qp, WorkCompletionStatus.LocalLengthError, request);
                return Refuse(qp, Verdict.InvalidRequest);
            }

            cursor = ReceiveCursor(qp);
            if (!cursor.IsValid(core.Keys, request.Length))
            {
                CompleteReceive(qp, WorkCompletionStatus.LocalProtectionError, request);
                return Refuse(qp, Verdict.RemoteOperationError);
            }
        }

        qp.Inbound = new InboundMessage { Active = true, Request = request, Cursor = cursor };
        return Verdict.Accept;
    }

    /// <summary>Whether the message under way at <paramref name="qp"/> is this one, so that more of it may be placed.</summary>
    public static bool IsUnderWay(EngineQueuePair qp, uint sequence) =>
        qp.Inbound.Active && qp.Inbound.Request.Sequence == sequence;

    /// <summary>All bytes are placed: completes the receive, if the message uses one, and moves on.</summary>
    public void Finish(EngineQueuePair qp)
    {
        qp.Inbound.Active = false;
        qp.Connection.Tally.Received(qp.Inbound.Request.Length);
        Advance(qp);
        if (qp.Inbound.Request.Opcode == WorkRequestOpcode.SendWithInvalidate
            && !core.Windows.TryInvalidate(qp, qp.Inbound.Request.Immediate))
        {
            // An error of class J: the message has come and is acknowledged, and only this side fails.
            CompleteReceive(qp, WorkCompletionStatus.RemoteInvalidRequestError, qp.Inbound.Request);
            core.Fail(qp, QueuePairFault.InvalidRequest);
            return;
        }

        if (qp.Receive.Held && qp.Inbound.Request.Opcode != WorkRequestOpcode.RdmaWrite)
            CompleteReceive(qp, WorkCompletionStatus.Success, qp.Inbound.Request);
        core.Answers.Delivered(qp);
    }

    /// <summary>Placing failed half-way (memory unmapped or deregistered): ends the QP and says what the requester is told.</summary>
    public Verdict PlacementFailed(EngineQueuePair qp)
    {
        if (!qp.IsReliable)
            return UnreliablePlacementFailed(qp);
        var isSend = qp.Inbound.Request.Opcode
            is WorkRequestOpcode.Send or WorkRequestOpcode.SendWithImmediate or WorkRequestOpcode.SendWithInvalidate;
        if (isSend)
            CompleteReceive(qp, WorkCompletionStatus.LocalProtectionError, qp.Inbound.Request);
        qp.Inbound.Active = false;
        return Refuse(qp, isSend ? Verdict.RemoteOperationError : Verdict.RemoteAccessError);
    }

    /// <summary>Decides on an RDMA READ. A repeated one is answered again.</summary>
    public Verdict BeginRead(EngineQueuePair qp, in InboundRequest request)
    {
        var verdict = Admit(qp, request.Sequence);
        if (verdict is not (Verdict.Accept or Verdict.Duplicate))
            return verdict;
        if ((qp.Access & AccessFlags.RemoteRead) == 0 || request.Length > EngineLimits.MaximumMessage)
            return Refuse(qp, Verdict.InvalidRequest);
        if (!ReadCursor(qp, request.RemoteAddress, request.RemoteKey, request.Length).IsValid(core.Keys))
            return Refuse(qp, Verdict.RemoteAccessError);
        if (verdict == Verdict.Accept)
        {
            qp.Connection.Tally.BytesSent += request.Length;
            Advance(qp);
        }

        return Verdict.Accept;
    }

    /// <summary>A cursor over what a READ asks for; one at a time per QP.</summary>
    public static MemoryCursor ReadCursor(EngineQueuePair qp, ulong address, uint key, uint length)
    {
        qp.ReadEntry[0] = new ScatterGatherEntry { Address = address, Length = length, LocalKey = key };
        return new MemoryCursor(qp.ReadEntry, 0, 1, qp.ProtectionDomain, AccessFlags.RemoteRead, qp);
    }

    /// <summary>Executes an atomic, once; a repeated one gets the first result again.</summary>
    public Verdict Execute(EngineQueuePair qp, in InboundRequest request, out ulong original)
    {
        original = 0;
        var verdict = Admit(qp, request.Sequence);
        if (verdict == Verdict.Duplicate)
            return qp.Replay.TryFind(request.Sequence, out original) ? Verdict.Accept : Refuse(qp, Verdict.InvalidRequest);
        if (verdict != Verdict.Accept)
            return verdict;
        if ((qp.Access & AccessFlags.RemoteAtomic) == 0 || request.RemoteAddress % sizeof(ulong) != 0)
            return Refuse(qp, Verdict.InvalidRequest);

        var address = request.RemoteAddress;
        var region = core.Keys.FindRemote(qp, request.RemoteKey, ref address, sizeof(ulong), AccessFlags.RemoteAtomic);
        if (region is null)
            return Refuse(qp, Verdict.RemoteAccessError);
        if (!TryExecute(region, region.Translate(address), request, out original))
            return Refuse(qp, Verdict.RemoteOperationError);
        qp.Replay.Add(request.Sequence, original);
        Advance(qp);
        return Verdict.Accept;
    }

    /// <summary>How many receives are posted and not taken.</summary>
    public static uint PostedReceives(EngineQueuePair qp) => qp.Receives.Posted;

    /// <summary>Completes every receive with a flush error. Those of an SRQ stay for its other QPs.</summary>
    public void Flush(EngineQueuePair qp)
    {
        if (qp.Receive.Held)
            CompleteReceive(qp, WorkCompletionStatus.WorkRequestFlushError, default);
        qp.Inbound.Active = false;
        while (!qp.Receives.IsShared && qp.Receives.TryTake(out var element))
        {
            var head = MemoryMarshal.Read<ReceiveWqeHead>(element);
            qp.Receive = new HeldReceive { Held = true, WorkRequestId = head.WorkRequestId };
            CompleteReceive(qp, WorkCompletionStatus.WorkRequestFlushError, default);
        }
    }

    private Verdict Admit(EngineQueuePair qp, uint sequence)
    {
        if (qp.State is QueuePairState.Reset or QueuePairState.Init or QueuePairState.Error)
            return Verdict.NotReady;
        var ahead = (int)(sequence - qp.Expected);
        if (ahead < 0)
            return Verdict.Duplicate;
        if (ahead > 0)
        {
            if (qp.SaidOutOfSequence)
                return Verdict.Drop;
            qp.SaidOutOfSequence = true;
            return Verdict.SequenceError;
        }

        Establish(qp);
        return Verdict.Accept;
    }

    private void Establish(EngineQueuePair qp)
    {
        if (qp.Established)
            return;
        qp.Established = true;
        if (qp.State == QueuePairState.ReadyToReceive)
            core.Events.CommunicationEstablished(qp);
    }

    private static bool IsWrite(WorkRequestOpcode opcode) =>
        opcode is WorkRequestOpcode.RdmaWrite or WorkRequestOpcode.RdmaWriteWithImmediate;

    private static MemoryCursor WriteCursor(EngineQueuePair qp, in InboundRequest request)
    {
        qp.WriteEntry[0] = new ScatterGatherEntry { Address = request.RemoteAddress, Length = request.Length, LocalKey = request.RemoteKey };
        return new MemoryCursor(qp.WriteEntry, 0, 1, qp.ProtectionDomain, AccessFlags.RemoteWrite, qp);
    }

    private static MemoryCursor ReceiveCursor(EngineQueuePair qp) =>
        new(qp.ReceiveEntries, 0, qp.Receive.SgeCount, qp.ProtectionDomain, AccessFlags.LocalWrite);

    private static void Advance(EngineQueuePair qp)
    {
        qp.Expected++;
        qp.SaidOutOfSequence = false;
    }

    /// <summary>An error of class C: the requester gets the NAK, this QP goes to the error state.</summary>
    private Verdict Refuse(EngineQueuePair qp, Verdict verdict)
    {
        core.Fail(qp, verdict == Verdict.RemoteAccessError ? QueuePairFault.AccessViolation : QueuePairFault.InvalidRequest);
        return verdict;
    }

    private bool TryTakeReceive(EngineQueuePair qp, out Verdict verdict)
    {
        verdict = Verdict.Accept;
        if (qp.Receive.Held)
            return true;
        if (!qp.Receives.TryTake(out var element))
        {
            // What follows is dropped until this message comes again.
            qp.SaidOutOfSequence = true;
            core.Statistics.RnrNaks++;
            qp.Connection.Tally.RnrNaks++;
            verdict = Verdict.ReceiverNotReady;
            return false;
        }

        var head = MemoryMarshal.Read<ReceiveWqeHead>(element);
        qp.Receive = new HeldReceive { Held = true, WorkRequestId = head.WorkRequestId };
        qp.ReceivesTaken++;
        if (head.SgeCount > qp.Receives.MaximumSges)
        {
            ReleaseShared(qp);
            CompleteReceive(qp, WorkCompletionStatus.LocalQpOperationError, default);
            verdict = Refuse(qp, Verdict.RemoteOperationError);
            return false;
        }

        var entries = qp.ReceiveEntries.AsSpan(0, (int)head.SgeCount);
        MemoryMarshal.Cast<byte, ScatterGatherEntry>(element[ReceiveWqeHead.Size..])[..(int)head.SgeCount].CopyTo(entries);
        ulong length = 0;
        foreach (ref readonly var entry in entries)
            length += entry.Length;
        qp.Receive.SgeCount = (int)head.SgeCount;
        qp.Receive.Length = (uint)Math.Min(length, uint.MaxValue);
        ReleaseShared(qp);
        return true;
    }

    /// <summary>A receive of an SRQ has been copied: its slot is free at once, since others complete theirs in another order.</summary>
    private void ReleaseShared(EngineQueuePair qp)
    {
        if (!qp.Receives.IsShared)
            return;
        qp.Receives.Publish();
        if (qp.Receives.FallsBelowLimit())
            core.Events.SharedReceiveQueueLimit(qp.Receives);
    }

    private void CompleteReceive(EngineQueuePair qp, WorkCompletionStatus status, in InboundRequest request)
    {
        var withImmediate = request.Opcode is WorkRequestOpcode.SendWithImmediate or WorkRequestOpcode.RdmaWriteWithImmediate;
        var withInvalidate = request.Opcode == WorkRequestOpcode.SendWithInvalidate;
        var completion = new WorkCompletion
        {
            WorkRequestId = qp.Receive.WorkRequestId,
            Status = status,
            Opcode = request.Opcode == WorkRequestOpcode.RdmaWriteWithImmediate
                ? WorkCompletionOpcode.ReceiveRdmaWithImmediate
                : WorkCompletionOpcode.Receive,
            ByteLength = status == WorkCompletionStatus.Success ? request.Length : 0,
            ImmediateOrKey = withImmediate || withInvalidate ? request.Immediate : 0,
            Flags = FlagsOf(status, withImmediate, withInvalidate),
            QpNumber = qp.Number,
            SourceQp = request.SourceQp,
            PortNumber = 1,
        };
        qp.Receive.Held = false;

        // The slot is free before the completion shows: who polls it may post again at once.
        qp.Receives.Publish();
        if (!core.Complete(qp.ReceiveCq, completion, request.Solicited))
            core.Fail(qp, QueuePairFault.Fatal);
    }

    // As rxe, which says of every message that it came with a GRH.
    private static WorkCompletionFlags FlagsOf(WorkCompletionStatus status, bool withImmediate, bool withInvalidate) =>
        status != WorkCompletionStatus.Success ? WorkCompletionFlags.None
        : withImmediate ? WorkCompletionFlags.Grh | WorkCompletionFlags.WithImmediate
        : withInvalidate ? WorkCompletionFlags.Grh | WorkCompletionFlags.WithInvalidate
        : WorkCompletionFlags.Grh;

    private static bool TryExecute(EngineMemoryRegion region, ulong address, in InboundRequest request, out ulong original)
    {
        var isSwap = request.Opcode == WorkRequestOpcode.AtomicCompareAndSwap;
        if (region.Memory.TryGetShared(address, sizeof(ulong), out var shared) && shared.Length >= sizeof(ulong))
        {
            ref var word = ref MemoryMarshal.AsRef<ulong>(shared);
            original = isSwap
                ? Interlocked.CompareExchange(ref word, request.Swap, request.CompareAdd)
                : Interlocked.Add(ref word, request.CompareAdd) - request.CompareAdd;
            return true;
        }

        // Atomic among the device's own operations only, which is what it promises (IBV_ATOMIC_HCA).
        original = 0;
        var bytes = MemoryMarshal.AsBytes(new Span<ulong>(ref original));
        if (region.Memory.CopyTo(address, bytes) != 0)
            return false;
        var value = isSwap ? (original == request.CompareAdd ? request.Swap : original) : original + request.CompareAdd;
        return region.Memory.CopyFrom(address, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in value))) == 0;
    }
}
