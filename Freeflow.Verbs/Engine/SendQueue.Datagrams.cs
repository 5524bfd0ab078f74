using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

internal sealed partial class SendQueue
{
    private const uint OwnQkey = 1u << 31;

    /// <summary>
    /// Loads a datagram. One that is longer than the port's MTU is not looked at any further, as rxe does not: it will not be sent,
    /// whatever it says.
    /// </summary>
    private void LoadDatagram(EngineQueuePair qp, uint slot, in SendWqeHead head, ReadOnlySpan<byte> element)
    {
        ref var operation = ref qp.Operations[slot];
        operation.SendNumber = qp.NextSendNumber++;
        var status = operation.IsInline
            ? LoadInline(qp, slot, head.Length, element[SendWqeHead.Size..])
            : LoadEntries(qp, slot, head.SgeCount, element[SendWqeHead.Size..]);
        if (operation.Length > qp.Connection.Port.Mtu)
        {
            if (status == WorkCompletionStatus.LocalProtectionError)
                status = WorkCompletionStatus.Success;
        }
        else if (status != WorkCompletionStatus.LocalQpOperationError && !TryAddress(qp, slot, MemoryMarshal.Read<DatagramWqe>(element)))
        {
            status = WorkCompletionStatus.LocalQpOperationError;
        }

        if (status != WorkCompletionStatus.Success)
            Stop(qp, ref operation, status);
    }

    /// <summary>Finds out where a datagram goes; false for an address handle that there is not, or of another PD.</summary>
    private bool TryAddress(EngineQueuePair qp, uint slot, in DatagramWqe wqe)
    {
        ref var target = ref qp.Datagrams[slot];
        target.Qpn = wqe.RemoteQpn & 0xffffff;

        // A Q_Key with the high bit stands for the QP's own, which applications may not be able to choose (controlled Q_Keys).
        target.Qkey = (wqe.RemoteQkey & OwnQkey) != 0 ? qp.Qkey : wqe.RemoteQkey;
        var port = qp.Connection.Port;
        if (wqe.AhNumber == 0)
        {
            if (wqe.SgidIndex >= port.Gids.Count)
                return false;
            target.Route = new DatagramRoute(port.Gids[wqe.SgidIndex], wqe.Dgid, wqe.FlowLabel, wqe.HopLimit, wqe.TrafficClass);
            target.Peer = PeerOf(port, target.Route);
            return true;
        }

        if (qp.Connection.AddressHandles.Find(wqe.AhNumber) is not { } handle || handle.ProtectionDomain != qp.ProtectionDomain)
            return false;
        var version = core.Addresses.Version;
        if (handle.PeerVersion != version || handle.Policy != core.Policy)
        {
            handle.Peer = PeerOf(port, handle.Route);
            handle.PeerVersion = version;
            handle.Policy = core.Policy;
        }

        target.Route = handle.Route;
        target.Peer = handle.Peer;
        return true;
    }

    /// <summary>Nobody where the policy forbids it; of a group that is asked for each member.</summary>
    private int PeerOf(EnginePort port, in DatagramRoute route) =>
        route.Remote.IsMulticast ? EngineQueuePair.GroupPeers
        : core.Policy.AllowsPair(port, route.Local, route.Remote) ? core.Addresses.PeerOf(port.Tenant, route.Remote)
        : EngineQueuePair.NoPeer;
}
