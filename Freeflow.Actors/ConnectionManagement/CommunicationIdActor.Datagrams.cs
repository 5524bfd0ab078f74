using Freeflow.Actors.Tracing;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.ConnectionManagement;

// Datagram services: their place is asked for and told (SIDR), and that is all of it.
public sealed partial class CommunicationIdActor
{
    /// <summary>RDMA_UDP_QKEY: what all QPs of rdma_cm's datagram services have.</summary>
    private const uint DatagramQkey = 0x01234567;

    private uint _qkey = DatagramQkey;

    private int AcceptLookup(in AcceptCommand command)
    {
        if (_conversation != ConversationState.RequestReceived || command.ConnParam.PrivateDataLen > CommunicationProtocol.FoundData)
            return Errno.EINVAL;
        if (command.ConnParam.Valid == 0)
            return Tell(new CommunicationProtocol.Found(LookupStatus.Reject, 0, 0, []));
        if (_source.Family == RdmaAddressFamily.Ib && command.ConnParam.Qkey != 0)
            _qkey = command.ConnParam.Qkey;
        return Tell(new CommunicationProtocol.Found(LookupStatus.Success, command.ConnParam.QpNum, _qkey, PrivateData(command.ConnParam)));
    }

    private int RejectLookup(byte[] data)
    {
        if (_conversation != ConversationState.RequestReceived || data.Length > CommunicationProtocol.FoundData)
            return Errno.EINVAL;
        return Tell(new CommunicationProtocol.Found(LookupStatus.Reject, 0, 0, data));
    }

    private int Tell(CommunicationProtocol.Found found)
    {
        Finish(ConversationState.Over);
        _said = found.For(_cause);
        _peer.Tell(_said, Self);
        return 0;
    }

    private void BeFound(CommunicationProtocol.Found found)
    {
        if (_conversation != ConversationState.RequestSent || !IsDatagram || found.PrivateData is null)
            return;
        using var span = Heed(found);
        Finish(ConversationState.Over);
        var isThere = found.Status == LookupStatus.Success;
        var parameters = new DatagramParameters { PrivateDataLen = CommunicationProtocol.FoundData };
        found.PrivateData.AsSpan(0, Math.Min(found.PrivateData.Length, CommunicationProtocol.FoundData)).CopyTo(parameters.PrivateData);
        if (isThere)
        {
            _qkey = found.Qkey;
            parameters.QpNum = found.Qpn;
            parameters.Qkey = found.Qkey;
            parameters.AhAttr = AddressVector(_destination.Gid);
        }

        Raise(isThere ? RdmaCmEventType.Established : RdmaCmEventType.Unreachable, found.Status, RdmaCmEventParameters.Of(parameters));
    }
}
