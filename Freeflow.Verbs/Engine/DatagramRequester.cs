using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Links;

namespace Freeflow.Verbs.Engine;

/// <summary>Sends the datagrams of UD QPs, each to where its address handle says.</summary>
internal sealed class DatagramRequester(EngineCore core)
{
    private static readonly List<int> s_nobody = [];
    private readonly ReceiveGate _gate = new(core);

    /// <summary>Sends the datagram at the QP's next slot; false when the QP has to wait for room on a link.</summary>
    public bool TrySend(EngineQueuePair qp, ref SendOperation operation, ref WorkBudget budget)
    {
        ref var target = ref qp.Datagrams[qp.Next];
        if (operation.Length > qp.Connection.Port.Mtu)
        {
            // C10-93.1.1: it is not sent, and that is no error.
            Drop();
        }
        else if (target.Peer == EngineQueuePair.SameRouter)
        {
            if (!_gate.MayGo(qp, operation, target, null))
                return false;
            core.Statistics.LocalBytes += operation.Length;
            if (!core.Responder.Deliver(Of(qp, operation, target), PayloadOf(qp, operation)))
            {
                SendQueue.Stop(qp, ref operation, WorkCompletionStatus.LocalProtectionError);
                return true;
            }
        }
        else if (target.Peer == EngineQueuePair.GroupPeers)
        {
            return TrySendToGroup(qp, ref operation, target, ref budget);
        }
        else if (core.Links.GetValueOrDefault(target.Peer) is { Broken: null, IsStalled: false } link)
        {
            if (!link.TryMakeRoomFor(qp))
            {
                core.Clock.Set(qp, RetryReason.AwaitingRoom, link.StallsAt);
                return false;
            }

            if (!_gate.MayGo(qp, operation, target, link))
                return false;
            if (!link.SendDatagram(Of(qp, operation, target), PayloadOf(qp, operation)))
            {
                SendQueue.Stop(qp, ref operation, WorkCompletionStatus.LocalProtectionError);
                return true;
            }
        }
        else
        {
            Drop();
        }

        budget.Spend((int)operation.Length);
        operation.State = OperationState.Done;
        return true;
    }

    /// <summary>Once to each router that has members, when all of them can be reached now.</summary>
    private bool TrySendToGroup(EngineQueuePair qp, ref SendOperation operation, in DatagramTarget target, ref WorkBudget budget)
    {
        var group = core.Groups.Find(qp.Connection.Port.Tenant, target.Route.Remote);
        foreach (var peer in group?.Peers ?? s_nobody)
        {
            if (core.Links.GetValueOrDefault(peer) is { Broken: null, IsStalled: false } link && !link.TryMakeRoomFor(qp))
            {
                core.Clock.Set(qp, RetryReason.AwaitingRoom, link.StallsAt);
                return false;
            }
        }

        var datagram = Of(qp, operation, target);
        var readable = core.Responder.Deliver(datagram, PayloadOf(qp, operation));
        foreach (var peer in group?.Peers ?? s_nobody)
        {
            if (core.Links.GetValueOrDefault(peer) is { Broken: null, IsStalled: false } link && link.MakeRoom())
                readable &= link.SendDatagram(datagram, PayloadOf(qp, operation));
        }

        if (!readable)
        {
            SendQueue.Stop(qp, ref operation, WorkCompletionStatus.LocalProtectionError);
            return true;
        }

        budget.Spend((int)operation.Length);
        operation.State = OperationState.Done;
        return true;
    }

    private static DatagramPayload PayloadOf(EngineQueuePair qp, in SendOperation operation) => operation.IsInline
        ? new DatagramPayload(qp.InlineOf(qp.Next))
        : new DatagramPayload(operation.Cursor, (int)operation.Length);

    private static Datagram Of(EngineQueuePair qp, in SendOperation operation, in DatagramTarget target) => new()
    {
        Tenant = qp.Connection.Port.Tenant,
        Route = target.Route,
        SourceQp = qp.Number,
        DestinationQp = target.Qpn,
        Qkey = target.Qkey,
        Sequence = operation.Sequence,
        Opcode = operation.Opcode,
        Immediate = operation.Immediate,
        Solicited = (operation.Flags & SendFlags.Solicited) != 0,
        IsLocal = true,
    };

    private void Drop() => core.Statistics.MessagesDropped++;
}
