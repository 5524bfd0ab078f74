using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Links;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// The sending half of UC and UD QPs: a request is done when it has left, whatever becomes of it (InfiniBand specification, 9.8).
/// It waits for one thing only, room on the way, and for that not longer than the way moves at all.
/// </summary>
internal sealed class UnreliableRequester(EngineCore core, SendQueue queue, LocalDelivery local)
{
    private readonly ReceiveGate _gate = new(core);
    private readonly DatagramRequester _datagrams = new(core);

    /// <summary>Starts work until nothing is left, the QP must wait, or the budget is used up. True when more can be done.</summary>
    public bool Run(EngineQueuePair qp, DataLink? link, ref WorkBudget budget)
    {
        while (TryStart(qp))
        {
            if (budget.IsSpent)
                return true;
            ref var operation = ref qp.Operations[qp.Next];
            if (operation.State != OperationState.Done && !TryCarry(qp, link, ref operation, ref budget))
                break;
            if (operation.State != OperationState.Done)
                continue;

            // The QP may have failed meanwhile: its peer can be itself.
            if (qp.State == QueuePairState.Error)
                return false;
            qp.Next = qp.SendRing.Next(qp.Next);
            queue.Retire(qp);
        }

        queue.Retire(qp);
        return false;
    }

    private bool TryStart(EngineQueuePair qp)
    {
        if (qp.State == QueuePairState.Error || qp.Stopped || !SendQueue.HasPosted(qp))
            return false;
        if (qp.State == QueuePairState.SendQueueDrain && qp.Operations[qp.Next].State == OperationState.Posted)
            return false;
        queue.Load(qp);
        return true;
    }

    /// <summary>Sends the next part; false when the QP has to wait.</summary>
    private bool TryCarry(EngineQueuePair qp, DataLink? link, ref SendOperation operation, ref WorkBudget budget)
    {
        if (operation.IsLocal)
        {
            Execute(qp, ref operation, ref budget);
            return true;
        }

        if (qp.Type == QueuePairType.UnreliableDatagram)
            return _datagrams.TrySend(qp, ref operation, ref budget);
        if (!_gate.MayGo(qp, operation, link))
            return false;
        if (qp.Peer == EngineQueuePair.SameRouter)
        {
            var step = local.Deliver(qp, ref operation, ref budget, out _, out _);
            if (step == DeliveryStep.SourceFault)
                SendQueue.Stop(qp, ref operation, WorkCompletionStatus.LocalProtectionError);
            else if (step != DeliveryStep.Partial)
                operation.State = OperationState.Done;
            return true;
        }

        if (link is not null && link.TryEmit(qp, ref operation, ref budget))
        {
            if (operation.State == OperationState.Sent)
                operation.State = OperationState.Done;
            return true;
        }

        if (link is { Broken: null, IsStalled: false })
        {
            core.Clock.Set(qp, RetryReason.AwaitingRoom, link.StallsAt);
            return false;
        }

        // There is no way: the message is lost.
        core.Statistics.MessagesDropped++;
        operation.State = OperationState.Done;
        budget.Spend(0);
        return true;
    }

    private void Execute(EngineQueuePair qp, ref SendOperation operation, ref WorkBudget budget)
    {
        budget.Spend(0);
        var status = core.Windows.Execute(qp, operation);
        if (status == WorkCompletionStatus.Success)
            operation.State = OperationState.Done;
        else
            SendQueue.Stop(qp, ref operation, status);
    }
}
