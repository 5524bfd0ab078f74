using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// The sending half of a QP: starts posted work requests, to a QP of this router (one copy) or over a link, and acts on
/// the peer's answers (InfiniBand specification, 9.7 and 9.9).
/// </summary>
internal sealed partial class Requester
{
    /// <summary>Receives that a peer is trusted to have before it has announced any.</summary>
    public const uint InitialCredits = 16;

    private readonly EngineCore _core;
    private readonly SendQueue _queue;
    private readonly LocalDelivery _local;
    private readonly UnreliableRequester _unreliable;

    public Requester(EngineCore core)
    {
        _core = core;
        _queue = new SendQueue(core);
        _local = new LocalDelivery(core);
        _unreliable = new UnreliableRequester(core, _queue, _local);
    }

    /// <summary>Starts work until nothing is left, the QP must wait, or <paramref name="budget"/> is used up. True when more can be done.</summary>
    public bool Run(EngineQueuePair qp, Links.DataLink? link, ref WorkBudget budget)
    {
        if (qp.State == QueuePairState.Error)
        {
            _queue.Flush(qp);
            return false;
        }

        if (qp.State is not (QueuePairState.ReadyToSend or QueuePairState.SendQueueDrain))
            return false;
        if (!qp.IsReliable)
            return _unreliable.Run(qp, link, ref budget);

        while (TryStart(qp))
        {
            if (budget.IsSpent)
                return true;
            ref var operation = ref qp.Operations[qp.Next];
            if (operation.State == OperationState.Done)
            {
                // A bad request, or one that survived a rewind.
                qp.Next = qp.SendRing.Next(qp.Next);
                continue;
            }

            if (operation.IsLocal)
            {
                if (!RunHere(qp, ref operation, ref budget))
                    break;
                continue;
            }

            if (qp.Peer == EngineQueuePair.SameRouter)
            {
                if (!RunLocal(qp, ref operation, ref budget))
                    break;
            }
            else if (link is null || !link.TryEmit(qp, ref operation, ref budget))
            {
                AwaitAnswer(qp);
                break;
            }
            else if (operation.State != OperationState.Loaded)
            {
                if (operation.AwaitsData && operation.State == OperationState.Sent)
                    qp.OutstandingReads++;
                qp.Next = qp.SendRing.Next(qp.Next);
                AwaitAnswer(qp);
            }
        }

        _queue.Retire(qp);
        return false;
    }

    /// <summary>The link is gone: whatever is not done is sent again when there is a new one.</summary>
    public void LinkLost(EngineQueuePair qp)
    {
        if (!qp.IsReliable)
        {
            _core.Enqueue(qp);
            return;
        }

        if (SendQueue.HasUnderWay(qp) && !qp.Stopped)
            Rewind(qp, qp.Head);
        AwaitAnswer(qp);
        // What still waits for an answer that has come meanwhile waits for nothing.
        var isIdle = qp.Timer.Reason == RetryReason.None
            || (qp.Timer.Reason == RetryReason.AwaitingAnswer && !SendQueue.HasUnderWay(qp) && !SendQueue.HasPosted(qp));
        var wait = RetryClock.LinkDownTicks(qp);
        if (qp.IsConnected && isIdle && wait != long.MaxValue)
            _core.Clock.Set(qp, RetryReason.LinkDown, _core.Now + wait);
    }

    /// <summary>There is a link again.</summary>
    public void LinkFound(EngineQueuePair qp)
    {
        if (qp.Timer.Reason == RetryReason.LinkDown)
            qp.Timer.Reason = RetryReason.None;
        _core.Enqueue(qp);
    }

    /// <summary>The peer is gone for good: what is posted fails or is flushed, receives too, since nobody will send.</summary>
    public void PeerLost(EngineQueuePair qp)
    {
        // A connection that acknowledges nothing has no way to learn of it.
        if (!qp.IsConnected || !qp.IsReliable)
            return;
        if (qp.State != QueuePairState.ReadyToReceive && (SendQueue.HasUnderWay(qp) || SendQueue.HasPosted(qp)))
            GiveUp(qp, WorkCompletionStatus.RetryExceededError);
        else
            _core.Fail(qp, QueuePairFault.Completion);
    }

    /// <summary>A wait is over.</summary>
    public void Expired(EngineQueuePair qp, RetryReason reason)
    {
        switch (reason)
        {
            case RetryReason.ReceiverNotReady or RetryReason.NoAnswer or RetryReason.AwaitingRoom:
                _core.Enqueue(qp);
                break;
            case RetryReason.AwaitingAnswer when SendQueue.HasUnderWay(qp) || (SendQueue.HasPosted(qp) && !qp.HeldByRate):
                CheckOnPeer(qp);
                break;
            case RetryReason.LinkDown:
                PeerLost(qp);
                break;
            case RetryReason.Flushing when qp.State == QueuePairState.Error:
                _queue.Flush(qp);
                _core.Responder.Flush(qp);
                _core.FlushLater(qp);
                break;
        }
    }

    public void Flush(EngineQueuePair qp) => _queue.Flush(qp);

    /// <summary>Whether the peer has announced a receive for this message; one message more may always be tried.</summary>
    private static bool HasCredit(EngineQueuePair qp, in SendOperation operation) =>
        !operation.ConsumesReceive || (int)(operation.SendNumber - qp.SendLimit) <= 0;

    private bool TryStart(EngineQueuePair qp)
    {
        if (qp.Timer.HoldsBack || !SendQueue.HasPosted(qp))
            return false;
        ref var operation = ref qp.Operations[qp.Next];
        if (qp.Stopped)
            return operation.State == OperationState.Done;
        if (qp.State == QueuePairState.SendQueueDrain && operation.State == OperationState.Posted)
            return false;
        _queue.Load(qp);
        if (operation.State == OperationState.Done || operation.Progress != 0)
            return true;
        // An invalidation waits for all before it (specification, 10.8.3.3).
        if (operation.Opcode == WorkRequestOpcode.LocalInvalidate && qp.Head != qp.Next)
            return false;
        if (qp.OutstandingReads > 0
            && ((operation.Flags & SendFlags.Fence) != 0 || (operation.AwaitsData && qp.OutstandingReads >= qp.MaxReadAtomic)))
            return false;
        return qp.Peer == EngineQueuePair.SameRouter || HasCredit(qp, operation);
    }

    /// <summary>Carries out what the peer hears nothing of. False when the QP has failed by it.</summary>
    private bool RunHere(EngineQueuePair qp, ref SendOperation operation, ref WorkBudget budget)
    {
        budget.Spend(0);
        var status = _core.Windows.Execute(qp, operation);
        if (status == WorkCompletionStatus.Success)
            operation.State = OperationState.Done;
        else
            SendQueue.Stop(qp, ref operation, status);
        qp.Next = qp.SendRing.Next(qp.Next);
        _queue.Retire(qp);
        return qp.State != QueuePairState.Error;
    }

    private bool RunLocal(EngineQueuePair qp, ref SendOperation operation, ref WorkBudget budget)
    {
        switch (_local.Deliver(qp, ref operation, ref budget, out var verdict, out var rnrTimer))
        {
            case DeliveryStep.Done:
                operation.State = OperationState.Done;
                qp.Timer.Attempts = qp.Timer.RnrAttempts = 0;
                break;
            case DeliveryStep.Partial:
                return true;
            case DeliveryStep.SourceFault:
                SendQueue.Stop(qp, ref operation, WorkCompletionStatus.LocalProtectionError);
                break;
            default:
                if (verdict == Verdict.ReceiverNotReady)
                    WaitForReceiver(qp, ref operation, rnrTimer);
                else if (verdict is Verdict.NotReady or Verdict.SequenceError or Verdict.Drop)
                    WaitAndRetry(qp, ref operation);
                else
                    SendQueue.Stop(qp, ref operation, StatusOf(verdict));
                if (operation.State != OperationState.Done)
                    return false;
                break;
        }

        // The QP may have failed meanwhile: its peer can be itself.
        if (qp.State == QueuePairState.Error)
            return false;
        qp.Next = qp.SendRing.Next(qp.Next);
        _queue.Retire(qp);
        return qp.State != QueuePairState.Error;
    }

    private void Progressed(EngineQueuePair qp)
    {
        qp.Timer.Attempts = qp.Timer.RnrAttempts = 0;
        _queue.Retire(qp);
        if (SendQueue.HasPosted(qp))
            _core.Enqueue(qp);
        if (SendQueue.HasUnderWay(qp) && qp.Timer.Reason == RetryReason.AwaitingAnswer)
            qp.Timer.Deadline = DeadlineOf(qp);
    }

    /// <summary>Starts over from <paramref name="slot"/>, for all that is not done.</summary>
    private void Rewind(EngineQueuePair qp, uint slot)
    {
        for (var at = slot; at != qp.Next; at = qp.SendRing.Next(at))
            Restart(qp, at);

        // The one at Next may have been sent in part.
        if (qp.Operations[qp.Next].State == OperationState.Loaded)
            Restart(qp, qp.Next);
        qp.Next = slot;
        qp.Unacknowledged = slot;
        qp.OutstandingReads = 0;
        for (var at = qp.Head; at != slot; at = qp.SendRing.Next(at))
        {
            if (qp.Operations[at] is { AwaitsData: true, State: OperationState.Sent })
                qp.OutstandingReads++;
        }

        _core.CountRetry(qp);
    }

    private static void Restart(EngineQueuePair qp, uint slot)
    {
        ref var operation = ref qp.Operations[slot];
        if (operation.State is OperationState.Done or OperationState.Posted)
            return;
        operation.State = OperationState.Loaded;
        operation.Progress = 0;
        operation.Begun = false;
        operation.Cursor = qp.CursorOf(slot, operation.AwaitsData ? AccessFlags.LocalWrite : AccessFlags.None);
    }

    private void WaitForReceiver(EngineQueuePair qp, ref SendOperation operation, byte rnrTimer)
    {
        // 7 means for ever.
        var attempts = qp.Timer.RnrAttempts;
        qp.Timer.RnrAttempts = Math.Min(attempts + 1, RetryClock.LongestRnrBackoff + 1);
        if (qp.RnrRetry != 7 && attempts >= qp.RnrRetry)
            SendQueue.Stop(qp, ref operation, WorkCompletionStatus.RnrRetryExceededError);
        else
            _core.Clock.Set(qp, RetryReason.ReceiverNotReady, _core.Now + RetryClock.RnrTicks(rnrTimer, attempts));
    }

    private void WaitAndRetry(EngineQueuePair qp, ref SendOperation operation)
    {
        var wait = RetryClock.AnswerTicks(qp.Timeout);
        if (wait == long.MaxValue)
            wait = RetryClock.AnswerTicks(14);
        else if (qp.Timer.Attempts++ >= qp.RetryCount)
        {
            SendQueue.Stop(qp, ref operation, WorkCompletionStatus.RetryExceededError);
            return;
        }

        _core.CountRetry(qp);
        _core.Clock.Set(qp, RetryReason.NoAnswer, _core.Now + wait);
    }

    private void AwaitAnswer(EngineQueuePair qp)
    {
        if (qp.Timer.Reason == RetryReason.None && (SendQueue.HasUnderWay(qp) || SendQueue.HasPosted(qp)))
            _core.Clock.Set(qp, RetryReason.AwaitingAnswer, DeadlineOf(qp));
    }

    private long DeadlineOf(EngineQueuePair qp)
    {
        var wait = RetryClock.AnswerTicks(qp.Timeout);
        return wait == long.MaxValue ? wait : _core.Now + wait;
    }

    /// <summary>
    /// No answer within the QP's timeout. On a link nothing gets lost, so a message is not sent again: the retries are
    /// used up only while the peer router is silent too.
    /// </summary>
    private void CheckOnPeer(EngineQueuePair qp)
    {
        var link = _core.Links.GetValueOrDefault(qp.Peer);
        var heard = link is not null && link.LastHeard >= qp.Timer.Deadline - RetryClock.AnswerTicks(qp.Timeout);
        if (heard)
            qp.Timer.Attempts = 0;
        else if (qp.Timer.Attempts++ >= qp.RetryCount)
        {
            GiveUp(qp, WorkCompletionStatus.RetryExceededError);
            return;
        }

        link?.Ping();
        AwaitAnswer(qp);
    }

    private void GiveUp(EngineQueuePair qp, WorkCompletionStatus status)
    {
        if (qp.Head == qp.Next)
        {
            _queue.Load(qp);
            qp.Next = qp.SendRing.Next(qp.Next);
        }

        ref var operation = ref qp.Operations[qp.Head];
        if (operation.State != OperationState.Done)
            SendQueue.Stop(qp, ref operation, status);
        _queue.Retire(qp);
        _core.Fail(qp, QueuePairFault.Completion);
    }

    private static WorkCompletionStatus StatusOf(Verdict verdict) => verdict switch
    {
        Verdict.InvalidRequest => WorkCompletionStatus.RemoteInvalidRequestError,
        Verdict.RemoteAccessError => WorkCompletionStatus.RemoteAccessError,
        _ => WorkCompletionStatus.RemoteOperationError,
    };
}
