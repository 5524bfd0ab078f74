using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

// UD (specification, 9.8.3 and 9.9.3): a datagram is taken whole or not at all.
internal sealed partial class Responder
{
    private readonly byte[] _routeHeader = GC.AllocateArray<byte>(GlobalRouteHeader.Size, pinned: true);

    /// <summary>
    /// Gives a datagram to the QP, or the QPs of the group, that it is for. False when the sender's own memory can't be read; what
    /// nobody takes is dropped.
    /// </summary>
    public bool Deliver(in Datagram datagram, in DatagramPayload payload)
    {
        if (datagram.Route.IsMulticast)
            return DeliverToGroup(datagram, payload);
        if (FindReceiver(datagram.Tenant, datagram.Route.Remote, datagram.DestinationQp) is { } qp)
            return DeliverTo(qp, datagram, payload);
        Drop();
        return true;
    }

    /// <summary>The QP of that number, if it is a UD QP at that address of that tenant.</summary>
    public EngineQueuePair? FindReceiver(ulong tenant, in Gid address, uint number) =>
        core.QueuePairs.TryGetValue(number, out var qp) && qp.Type == QueuePairType.UnreliableDatagram
        && qp.Connection.Port.Tenant == tenant && qp.Connection.Port.Has(address)
            ? qp
            : null;

    private bool DeliverToGroup(in Datagram datagram, in DatagramPayload payload)
    {
        var readable = true;
        if (datagram.DestinationQp == DatagramRoute.MulticastQpn && core.Groups.Find(datagram.Tenant, datagram.Route.Remote) is { } group)
        {
            foreach (var member in group.Members)
                readable &= DeliverTo(member, datagram, payload);
        }

        return readable;
    }

    private bool DeliverTo(EngineQueuePair qp, in Datagram datagram, in DatagramPayload payload)
    {
        if (!qp.IsConnected || datagram.Qkey != qp.Qkey || !IsAdmitted(qp, datagram.Route)
            || (!qp.Receive.Held && PostedReceives(qp) == 0))
        {
            Drop();
            return true;
        }

        if (!TryTakeReceive(qp, out _))
            return true;
        var length = (uint)(GlobalRouteHeader.Size + payload.Length);
        if (length > qp.Receive.Length)
        {
            DropWithReceive(qp, WorkCompletionStatus.RemoteInvalidRequestError);
            return true;
        }

        switch (Place(ReceiveCursor(qp), datagram, payload))
        {
            case CopyResult.SourceFault:
                return false;
            case CopyResult.DestinationFault:
                ReceiveFailed(qp);
                return true;
        }

        qp.Expected = datagram.Sequence + 1;
        qp.Connection.Tally.Received((uint)payload.Length);
        CompleteReceive(qp, WorkCompletionStatus.Success, new InboundRequest
        {
            Opcode = datagram.Opcode,
            Length = length,
            Immediate = datagram.Immediate,
            Solicited = datagram.Solicited,
            SourceQp = datagram.SourceQp,
        });
        core.Answers.Delivered(qp, datagram.IsLocal);
        return true;
    }

    /// <summary>Whether a datagram may come from there. Most come from where the one before came from.</summary>
    private bool IsAdmitted(EngineQueuePair qp, in DatagramRoute route)
    {
        var (policy, port) = (core.Policy, qp.Connection.Port);
        if (policy.IsOpen || (qp.Admitted.Policy == policy && qp.Admitted.Port == port && qp.Admitted.Route == (route.Local, route.Remote)))
            return true;
        var own = route.IsMulticast && port.Gids.Count > 0 ? port.Gids[0] : route.Remote;
        if (!policy.AllowsPair(port, own, route.Local))
            return false;
        qp.Admitted = (policy, port, (route.Local, route.Remote));
        return true;
    }

    private CopyResult Place(MemoryCursor to, in Datagram datagram, in DatagramPayload payload)
    {
        if (!to.IsValid(core.Keys, (ulong)(GlobalRouteHeader.Size + payload.Length)))
            return CopyResult.DestinationFault;
        GlobalRouteHeader.Write(_routeHeader, datagram.Route, payload.Length, datagram.Opcode == WorkRequestOpcode.SendWithImmediate);
        if (!core.Memory.Scatter(ref to, _routeHeader))
            return CopyResult.DestinationFault;
        if (!payload.IsRegistered)
            return core.Memory.Scatter(ref to, payload.Bytes) ? CopyResult.Done : CopyResult.DestinationFault;
        var from = payload.Cursor;
        return core.Memory.Copy(ref from, ref to, payload.Length);
    }
}
