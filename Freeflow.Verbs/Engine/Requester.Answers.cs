using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

// What a peer's answers mean for the requests under way.
internal sealed partial class Requester
{
    /// <summary>Everything up to <paramref name="sequence"/> has arrived; the peer has receives up to <paramref name="sendLimit"/>.</summary>
    public void Acknowledge(EngineQueuePair qp, uint sequence, uint sendLimit)
    {
        if ((int)(sendLimit - qp.SendLimit) > 0)
            qp.SendLimit = sendLimit;
        AcknowledgeUpTo(qp, sequence);
        Progressed(qp);
    }

    /// <summary>The message with <paramref name="sequence"/> was refused; all before it has arrived.</summary>
    public void Refused(EngineQueuePair qp, uint sequence, Verdict reason, byte rnrTimer)
    {
        AcknowledgeUpTo(qp, sequence - 1);
        if (!TryFind(qp, sequence, out var slot))
        {
            _queue.Retire(qp);
            return;
        }

        ref var operation = ref qp.Operations[slot];
        switch (reason)
        {
            case Verdict.ReceiverNotReady:
                Rewind(qp, slot);
                WaitForReceiver(qp, ref operation, rnrTimer);
                break;
            case Verdict.NotReady or Verdict.SequenceError:
                Rewind(qp, slot);
                WaitAndRetry(qp, ref operation);
                break;
            default:
                SendQueue.Stop(qp, ref operation, StatusOf(reason));
                break;
        }

        _queue.Retire(qp);
        _core.Enqueue(qp);
    }

    /// <summary>The READ whose data <paramref name="sequence"/> answers, if one is under way and this is its next part.</summary>
    public static bool TryFindRead(EngineQueuePair qp, uint sequence, uint offset, uint length, out uint slot) =>
        TryFind(qp, sequence, out slot)
        && qp.Operations[slot] is { IsRead: true, State: OperationState.Sent } operation
        && operation.Progress == offset && length <= operation.Length - offset;

    /// <summary>Whether the operation in <paramref name="slot"/> is still the READ with that sequence.</summary>
    public static bool IsReading(EngineQueuePair qp, uint slot, uint sequence) =>
        qp.Operations[slot] is { IsRead: true, State: OperationState.Sent } operation && operation.Sequence == sequence;

    /// <summary>Part of a READ's data has been placed.</summary>
    public void ReadPlaced(EngineQueuePair qp, uint slot, uint bytes)
    {
        ref var operation = ref qp.Operations[slot];
        operation.Progress += bytes;
        if (operation.Progress == operation.Length)
            DataArrived(qp, ref operation);
        Progressed(qp);
    }

    /// <summary>A READ's data could not be placed.</summary>
    public void PlacementFailed(EngineQueuePair qp, uint slot)
    {
        SendQueue.Stop(qp, ref qp.Operations[slot], WorkCompletionStatus.LocalProtectionError);
        _queue.Retire(qp);
    }

    /// <summary>An atomic's result has come.</summary>
    public void AtomicAnswered(EngineQueuePair qp, uint sequence, ulong original)
    {
        if (!TryFind(qp, sequence, out var slot))
            return;
        ref var operation = ref qp.Operations[slot];
        if (!operation.IsAtomic || operation.State != OperationState.Sent)
            return;
        if (_core.Memory.Scatter(ref operation.Cursor, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in original))))
            DataArrived(qp, ref operation);
        else
            SendQueue.Stop(qp, ref operation, WorkCompletionStatus.LocalProtectionError);
        Progressed(qp);
    }

    private void AcknowledgeUpTo(EngineQueuePair qp, uint sequence)
    {
        while (qp.Unacknowledged != qp.Next)
        {
            ref var operation = ref qp.Operations[qp.Unacknowledged];
            if ((int)(operation.Sequence - sequence) > 0 || operation.State is OperationState.Posted or OperationState.Loaded)
                break;
            if (operation.State == OperationState.Sent && !operation.AwaitsData)
                operation.State = OperationState.Done;
            qp.Unacknowledged = qp.SendRing.Next(qp.Unacknowledged);
        }
    }

    private void DataArrived(EngineQueuePair qp, ref SendOperation operation)
    {
        operation.State = OperationState.Done;
        qp.OutstandingReads--;
    }

    private static bool TryFind(EngineQueuePair qp, uint sequence, out uint slot)
    {
        slot = 0;
        if (qp.Head == qp.Next && qp.Operations[qp.Head].State != OperationState.Loaded)
            return false;
        if (qp.LocalOperations > 0)
            return TryFindAmongLocal(qp, sequence, out slot);
        var ahead = sequence - qp.Operations[qp.Head].Sequence;
        var last = qp.SendRing.Distance(qp.Head, qp.Next);
        if (ahead > last || (ahead == last && qp.Operations[qp.Next].State != OperationState.Loaded))
            return false;
        slot = (qp.Head + ahead) & qp.SendRing.Mask;
        return qp.Operations[slot].State != OperationState.Done;
    }

    /// <summary>Where local operations lie between the messages, their numbers are no distances.</summary>
    private static bool TryFindAmongLocal(EngineQueuePair qp, uint sequence, out uint slot)
    {
        for (slot = qp.Head; ; slot = qp.SendRing.Next(slot))
        {
            ref var operation = ref qp.Operations[slot];
            if (slot == qp.Next && operation.State != OperationState.Loaded)
                return false;
            if (operation.Sequence == sequence && !operation.IsLocal)
                return operation.State != OperationState.Done;
            if (slot == qp.Next)
                return false;
        }
    }
}
