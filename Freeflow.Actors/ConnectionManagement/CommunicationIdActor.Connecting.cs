using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Freeflow.Actors.Connections;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.ConnectionManagement;

// What the application says: listen, connect, accept, reject, disconnect.
public sealed partial class CommunicationIdActor
{
    /// <summary>A request between IP addresses begins with these bytes of private data (annex A11), which its application has less.</summary>
    private const int IpHeader = 36;
    private const int PsnLimit = 1 << 24;
    private const byte LargestRetry = 7;

    private readonly uint _ownPsn = (uint)RandomNumberGenerator.GetInt32(PsnLimit);

    /// <summary>What this end has said of itself, and the other of itself.</summary>
    private CommunicationProtocol.Endpoint _own = Nothing;
    private CommunicationProtocol.Endpoint _theirs = Nothing;

    private static CommunicationProtocol.Endpoint Nothing { get; } = new(0, 0, 0, 0, 0, 0, false, false, 0, 0, 0);

    private static int IpHeaderOf(RdmaAddressFamily family) => family == RdmaAddressFamily.Ib ? 0 : IpHeader;

    private ConnectionProtocol.Answer Listen(RdmaCmCall call)
    {
        if (!call.TryRead<ListenCommand>(out _))
            return Error(Errno.EINVAL);
        if (_state == CommunicationIdState.Idle)
        {
            var refused = Bind(RdmaAddress.Any(RdmaAddressFamily.Inet));
            if (refused != 0)
                return Error(refused);
        }

        if (_state != CommunicationIdState.AddressBound)
            return Error(Errno.EINVAL);
        var taken = _spec.Ports.Listen(_binding!);
        if (taken == 0)
        {
            _state = CommunicationIdState.Listen;
            _plane.Connections.Listening(+1);
        }

        return Error(taken);
    }

    private ConnectionProtocol.Answer Connect(RdmaCmCall call)
    {
        if (!call.TryReadFrom<ConnectCommand>((int)Unsafe.SizeOf<ConnectCommand>() - Unsafe.SizeOf<EnhancedConnection>(), out var command)
            || command.ConnParam.Valid == 0 || !_isOnDevice)
            return Error(Errno.EINVAL);
        var room = (IsDatagram ? CommunicationProtocol.LookupData : CommunicationProtocol.RequestData) - IpHeaderOf(_source.Family);
        if (command.ConnParam.PrivateDataLen > room || !TryMove(CommunicationIdState.RouteResolved, CommunicationIdState.Connect))
            return Error(Errno.EINVAL);
        _own = EndpointOf(command.ConnParam, command.Ece);
        if (!_plane.Policy.Current.Decide(
            _device.Tenant.Key, _source.Gid, _destination.Gid, (ushort)_destination.ServiceIdIn(_spec.Space), PolicyMode.Rdma).Allowed)
        {
            // Nobody is asked.
            _conversation = ConversationState.Over;
            Raise(RdmaCmEventType.Unreachable, -Errno.EACCES);
            return Done;
        }

        _conversation = ConversationState.RequestSent;
        Ask(new CommunicationProtocol.Request(Route(), IsDatagram, _own, PrivateData(command.ConnParam)));
        return Done;
    }

    private CommunicationProtocol.Route Route()
    {
        byte[] source = new byte[Unsafe.SizeOf<Gid>()], destination = new byte[Unsafe.SizeOf<Gid>()];
        _source.Gid.CopyTo(source);
        _destination.Gid.CopyTo(destination);
        return new CommunicationProtocol.Route(
            _device.Tenant.Key, (ushort)_source.Family, source, _source.ServiceIdIn(_spec.Space), destination, _destination.ServiceIdIn(_spec.Space), _typeOfService);
    }

    private CommunicationProtocol.Endpoint EndpointOf(in ConnectionParameters parameters, in EnhancedConnection ece) => new(
        parameters.QpNum,
        _ownPsn,
        parameters.ResponderResources,
        parameters.InitiatorDepth,
        Math.Min(parameters.RetryCount, LargestRetry),
        Math.Min(parameters.RnrRetryCount, LargestRetry),
        parameters.FlowControl != 0,
        parameters.Srq != 0,
        _device.ActiveMtu,
        ece.VendorId,
        ece.AttrMod);

    private static byte[] PrivateData(in ConnectionParameters parameters) => ((ReadOnlySpan<byte>)parameters.PrivateData)[..parameters.PrivateDataLen].ToArray();

    private ConnectionProtocol.Answer Accept(RdmaCmCall call)
    {
        if (!call.TryReadFrom<AcceptCommand>((int)Unsafe.SizeOf<AcceptCommand>() - Unsafe.SizeOf<EnhancedConnection>(), out var command)
            || _state != CommunicationIdState.Connect)
            return Error(Errno.EINVAL);
        var accepted = IsDatagram ? AcceptLookup(command) : command.ConnParam.Valid != 0 ? AcceptRequest(command) : AcceptReply();
        if (accepted == 0 && command.ConnParam.Valid != 0)
            _uid = command.Uid;
        else if (accepted != 0 && !IsDatagram)
            TryReject(RejectReason.ConsumerDefined, []);
        return Error(accepted);
    }

    private int AcceptRequest(in AcceptCommand command)
    {
        if (_conversation != ConversationState.RequestReceived || command.ConnParam.PrivateDataLen > CommunicationProtocol.ReplyData)
            return Errno.EINVAL;
        _own = EndpointOf(command.ConnParam, command.Ece);
        _conversation = ConversationState.ReplySent;
        Insist(new CommunicationProtocol.Reply(_own, PrivateData(command.ConnParam)));
        return 0;
    }

    /// <summary>The asker's application has made its QP ready.</summary>
    private int AcceptReply()
    {
        if (_conversation != ConversationState.ReplyReceived)
            return Errno.EINVAL;
        _conversation = ConversationState.Established;
        _plane.Connections.Established();
        Say(CommunicationProtocol.Ready.Instance);
        _cause = default;
        return 0;
    }

    private ConnectionProtocol.Answer Reject(RdmaCmCall call)
    {
        if (!call.TryRead<RejectCommand>(out var command)
            || command.Reason is not (0 or RejectReason.ConsumerDefined or RejectReason.VendorOptionNotSupported))
            return Error(Errno.EINVAL);
        var data = ((ReadOnlySpan<byte>)command.PrivateData)[..command.PrivateDataLen].ToArray();
        if (IsDatagram)
            return Error(RejectLookup(data));
        return Error(TryReject(command.Reason == 0 ? RejectReason.ConsumerDefined : command.Reason, data));
    }

    private int TryReject(byte reason, byte[] data)
    {
        if (data.Length > CommunicationProtocol.RejectData || _conversation is not
            (ConversationState.RequestSent or ConversationState.RequestReceived or ConversationState.ReplySent or ConversationState.ReplyReceived))
            return Errno.EINVAL;
        Finish(ConversationState.Over);
        Say(new CommunicationProtocol.Reject(reason, data));
        return 0;
    }

    private ConnectionProtocol.Answer Disconnect()
    {
        if (_conversation == ConversationState.None)
            return Error(Errno.EINVAL);
        if (_conversation == ConversationState.Established)
        {
            _conversation = ConversationState.DisconnectSent;
            Insist(CommunicationProtocol.Disconnect.Instance);
        }
        else if (_conversation == ConversationState.DisconnectReceived)
        {
            WaitOut();
            Say(CommunicationProtocol.Disconnected.Instance);
        }

        return Done;
    }

    private ConnectionProtocol.Answer Notify(RdmaCmCall call)
    {
        if (!call.TryRead<NotifyCommand>(out var command))
            return Error(Errno.EINVAL);
        if (!_isOnDevice)
            return Done;
        if (_conversation == ConversationState.None || command.Event != (uint)AsyncEventType.CommunicationEstablished)
            return Error(Errno.EINVAL);
        switch (_conversation)
        {
            case ConversationState.ReplySent:
                // Data has come before the peer's last word: that will do.
                BeEstablished();
                return Done;
            case ConversationState.Established:
                return Error(Errno.EISCONN);
            default:
                return Error(Errno.EINVAL);
        }
    }

    /// <summary>What a listener is told of a request.</summary>
    internal static RdmaCmEventParameters ParametersOf(CommunicationProtocol.Request request)
    {
        var room = (request.IsLookup ? CommunicationProtocol.LookupData : CommunicationProtocol.RequestData) - IpHeaderOf((RdmaAddressFamily)request.Route.Family);
        if (!request.IsLookup)
            return RdmaCmEventParameters.Of(ParametersOf(request.End, request.PrivateData, room));
        var parameters = new DatagramParameters { PrivateDataLen = (byte)room };
        request.PrivateData.AsSpan(0, Math.Min(request.PrivateData.Length, room)).CopyTo(parameters.PrivateData);
        return RdmaCmEventParameters.Of(parameters);
    }

    private static ConnectionParameters ParametersOf(CommunicationProtocol.Endpoint end, byte[] data, int room)
    {
        var parameters = new ConnectionParameters
        {
            QpNum = end.Qpn,
            // The other's one is what this end may use, and the other way round.
            ResponderResources = end.InitiatorDepth,
            InitiatorDepth = end.ResponderResources,
            RetryCount = end.RetryCount,
            RnrRetryCount = end.RnrRetryCount,
            FlowControl = end.FlowControl ? (byte)1 : (byte)0,
            Srq = end.SharedReceives ? (byte)1 : (byte)0,
            PrivateDataLen = (byte)room,
        };
        data.AsSpan(0, Math.Min(data.Length, room)).CopyTo(parameters.PrivateData);
        return parameters;
    }
}
