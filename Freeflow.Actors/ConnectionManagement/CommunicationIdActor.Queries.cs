using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Freeflow.Actors.Connections;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.ConnectionManagement;

// What the application asks of an id: addresses, the path, how its QP is to be changed.
public sealed partial class CommunicationIdActor
{
    private const byte Port = 1;
    private const byte RoutedHops = 64;
    private const byte Exactly = 2;
    private const byte SlowestRate = 2; // 2.5 Gb/s, which is what QUERY_PORT shows
    private const byte Reversible = 0x80;

    /// <summary>
    /// The device has no index for libibverbs either, which would have it from netlink. librdmacm before rdma-core 40 looks for a
    /// device with the index that it is told, and finds none.
    /// </summary>
    private const uint NoIndex = uint.MaxValue;

    private static ushort BigEndianPkey => 0xffff;

    private ulong NodeGuid => BinaryPrimitives.ReverseEndianness(_device.Guid);

    /// <summary>What QUERY_ROUTE and QUERY did not have before ibdev_index.</summary>
    private static int WithoutIndex(int size) => size - (2 * sizeof(uint));

    /// <summary>The path's ACK timeout: an exponent of 4.096 µs.</summary>
    private byte AckTimeout => _ackTimeout ?? PacketLifetime + 1;

    private ConnectionProtocol.Answer QueryRoute(RdmaCmCall call)
    {
        if (call.Room < WithoutIndex(Unsafe.SizeOf<QueryRouteResponse>()))
            return Error(Errno.ENOSPC);
        if (!call.TryRead<RdmaCmQueryCommand>(out _))
            return Error(Errno.EINVAL);
        var response = default(QueryRouteResponse);
        // There is no room for more of an IB address here, in the kernel neither.
        Span<byte> address = stackalloc byte[RdmaAddress.MaximumSize];
        _source.CopyTo(address);
        address[..Unsafe.SizeOf<SocketAddressIn6>()].CopyTo(SocketAddressIn6.Bytes(ref response.SrcAddr));
        address.Clear();
        _destination.CopyTo(address);
        address[..Unsafe.SizeOf<SocketAddressIn6>()].CopyTo(SocketAddressIn6.Bytes(ref response.DstAddr));
        if (_isOnDevice)
        {
            response.NodeGuid = NodeGuid;
            response.PortNum = Port;
            response.IbdevIndex = NoIndex;
            response.NumPaths = _hasRoute ? 1u : 0;
            response.Route0 = PathRecord();
        }

        return Answer(call.Respond(response));
    }

    private ConnectionProtocol.Answer Query(RdmaCmCall call)
    {
        if (!call.TryRead<RdmaCmQueryCommand>(out var command))
            return Error(Errno.EINVAL);
        return command.Option switch
        {
            RdmaCmQueryOption.Address => QueryAddress(call),
            RdmaCmQueryOption.Path => QueryPath(call),
            RdmaCmQueryOption.Gid => QueryGid(call),
            _ => Error(Errno.ENOSYS),
        };
    }

    private static ConnectionProtocol.Answer Answer(byte[] response) => new(0, response);

    private QueryAddressResponse OnDevice() => _isOnDevice
        ? new QueryAddressResponse { NodeGuid = NodeGuid, PortNum = Port, Pkey = BigEndianPkey, IbdevIndex = NoIndex }
        : default;

    private ConnectionProtocol.Answer QueryAddress(RdmaCmCall call)
    {
        if (call.Room < WithoutIndex(Unsafe.SizeOf<QueryAddressResponse>()))
            return Error(Errno.ENOSPC);
        var response = OnDevice();
        response.SrcSize = (ushort)_source.Size;
        response.DstSize = (ushort)_destination.Size;
        _source.CopyTo(SocketAddressStorage.Bytes(ref response.SrcAddr));
        _destination.CopyTo(SocketAddressStorage.Bytes(ref response.DstAddr));
        return Answer(call.Respond(response));
    }

    private ConnectionProtocol.Answer QueryGid(RdmaCmCall call)
    {
        if (call.Room < WithoutIndex(Unsafe.SizeOf<QueryAddressResponse>()))
            return Error(Errno.ENOSPC);
        var response = OnDevice();
        response.SrcSize = response.DstSize = RdmaAddress.MaximumSize;
        AsIb(_source).CopyTo(SocketAddressStorage.Bytes(ref response.SrcAddr));
        AsIb(_destination).CopyTo(SocketAddressStorage.Bytes(ref response.DstAddr));
        return Answer(call.Respond(response));
    }

    private RdmaAddress AsIb(in RdmaAddress address) => address.Family == RdmaAddressFamily.Ib
        ? address
        : new RdmaAddress(RdmaAddressFamily.Ib, address.IsAny ? default : address.Gid, address.ServiceIdIn(_spec.Space), 0, 0);

    private ConnectionProtocol.Answer QueryPath(RdmaCmCall call)
    {
        var head = Unsafe.SizeOf<QueryPathResponse>();
        if (call.Room < head)
            return Error(Errno.ENOSPC);
        var hasRoom = call.Room - head > Unsafe.SizeOf<PathRecordData>();
        var response = new byte[head + (_hasRoute && hasRoom ? Unsafe.SizeOf<PathRecordData>() : 0)];
        MemoryMarshal.Write(response, new QueryPathResponse { NumPaths = _hasRoute ? 1u : 0 });
        if (response.Length > head)
        {
            var data = new PathRecordData { Flags = PathRecordData.PrimaryFlags };
            Pack(PackedPath.Bytes(ref data.PathRec));
            MemoryMarshal.Write(response.AsSpan(head), data);
        }

        return Answer(response);
    }

    /// <summary>The path as a subnet administrator would give it (InfiniBand specification 15.2.5.16).</summary>
    private void Pack(Span<byte> path)
    {
        _destination.Gid.CopyTo(path[8..]);
        _source.Gid.CopyTo(path[24..]);
        path[47] = RoutedHops;
        path[48] = _typeOfService;
        path[49] = Reversible | 1;
        BinaryPrimitives.WriteUInt16BigEndian(path[50..], BigEndianPkey);
        path[54] = (byte)((Exactly << 6) | _device.ActiveMtu);
        path[55] = (Exactly << 6) | SlowestRate;
        path[56] = (byte)((Exactly << 6) | (AckTimeout - 1));
    }

    private UserPathRecord PathRecord() => new()
    {
        Dgid = _destination.Gid,
        Sgid = _source.Gid,
        Pkey = BigEndianPkey,
        HopLimit = _hasRoute ? RoutedHops : (byte)0,
        TrafficClass = _hasRoute ? _typeOfService : (byte)0,
        Reversible = _hasRoute ? 1u : 0,
        Mtu = _hasRoute ? _device.ActiveMtu : 0u,
        MtuSelector = _hasRoute ? Exactly : (byte)0,
        RateSelector = _hasRoute ? Exactly : (byte)0,
        Rate = _hasRoute ? SlowestRate : (byte)0,
        PacketLifeTimeSelector = _hasRoute ? Exactly : (byte)0,
        PacketLifeTime = _hasRoute ? (byte)(AckTimeout - 1) : (byte)0,
    };

    private AddressHandleAttributes AddressVector(Gid destination) => new()
    {
        Grh = new GlobalRoute
        {
            Dgid = destination,
            SgidIndex = (byte)Math.Max(0, IndexOf(_source.Gid)),
            HopLimit = RoutedHops,
            TrafficClass = _typeOfService,
        },
        IsGlobal = 1,
        PortNum = Port,
    };

    private int IndexOf(Gid gid)
    {
        for (var i = 0; i < _device.Gids.Count; i++)
        {
            if (_device.Gids[i].Gid == gid)
                return i;
        }

        return -1;
    }

    private ConnectionProtocol.Answer InitQpAttr(RdmaCmCall call)
    {
        if (call.Room < Unsafe.SizeOf<QpAttributesResponse>())
            return Error(Errno.ENOSPC);
        if (!call.TryRead<InitQpAttrCommand>(out var command) || command.QpState > (uint)QueuePairState.Error || !_isOnDevice)
            return Error(Errno.EINVAL);
        var attributes = _conversation == ConversationState.None || IsDatagram ? Initial() : InState((QueuePairState)command.QpState);
        return attributes is { } found ? Answer(call.Respond(found with { QpState = command.QpState })) : Error(Errno.EINVAL);
    }

    /// <summary>For a QP of an id that has not said anything yet (cma_ib_init_qp_attr).</summary>
    private QpAttributesResponse Initial()
    {
        var mask = QueuePairAttributes.State | QueuePairAttributes.PkeyIndex | QueuePairAttributes.Port;
        return IsDatagram
            ? new QpAttributesResponse { QpAttrMask = (uint)(mask | QueuePairAttributes.Qkey), Qkey = _qkey, PortNum = Port }
            : new QpAttributesResponse { QpAttrMask = (uint)(mask | QueuePairAttributes.AccessFlags), PortNum = Port };
    }

    /// <summary>For a QP in the midst of a conversation (ib_cm_init_qp_attr); null where there is nothing to say yet.</summary>
    private QpAttributesResponse? InState(QueuePairState state)
    {
        var isKnown = _conversation is ConversationState.RequestReceived or ConversationState.ReplySent
            or ConversationState.ReplyReceived or ConversationState.Established;
        var (responder, initiator) = Resources();
        switch (state)
        {
            case QueuePairState.Init when isKnown || _conversation == ConversationState.RequestSent:
                return new QpAttributesResponse
                {
                    QpAttrMask = (uint)(QueuePairAttributes.State | QueuePairAttributes.AccessFlags | QueuePairAttributes.PkeyIndex | QueuePairAttributes.Port),
                    QpAccessFlags = (uint)(AccessFlags.RemoteWrite | (responder > 0 ? AccessFlags.RemoteRead | AccessFlags.RemoteAtomic : 0)),
                    PortNum = Port,
                };
            case QueuePairState.ReadyToReceive when isKnown:
                var mask = QueuePairAttributes.State | QueuePairAttributes.AddressVector | QueuePairAttributes.PathMtu
                    | QueuePairAttributes.DestinationQpn | QueuePairAttributes.RqPsn;
                if (_spec.Type == QueuePairType.ReliableConnection)
                    mask |= QueuePairAttributes.MaxDestRdAtomic | QueuePairAttributes.MinRnrTimer;
                return new QpAttributesResponse
                {
                    QpAttrMask = (uint)mask,
                    AhAttr = AddressVector(_destination.Gid),
                    PathMtu = _theirs.Mtu is > 0 and var theirs ? Math.Min(theirs, _device.ActiveMtu) : _device.ActiveMtu,
                    DestQpNum = _theirs.Qpn,
                    RqPsn = _ownPsn,
                    MaxDestRdAtomic = responder,
                    PortNum = Port,
                };
            case QueuePairState.ReadyToSend when isKnown:
                var sending = QueuePairAttributes.State | QueuePairAttributes.SqPsn;
                if (_spec.Type == QueuePairType.ReliableConnection)
                    sending |= QueuePairAttributes.Timeout | QueuePairAttributes.RetryCount | QueuePairAttributes.RnrRetry | QueuePairAttributes.MaxQpRdAtomic;
                return new QpAttributesResponse
                {
                    QpAttrMask = (uint)sending,
                    SqPsn = _theirs.Psn,
                    Timeout = AckTimeout,
                    RetryCnt = _request is null ? _own.RetryCount : _theirs.RetryCount,
                    RnrRetry = _theirs.RnrRetryCount,
                    MaxRdAtomic = initiator,
                };
            default:
                return null;
        }
    }

    /// <summary>Reads that this end may have to answer, and that it may have under way.</summary>
    private (byte Responder, byte Initiator) Resources() => _conversation switch
    {
        // Until this end has said something, it is the peer's word that counts.
        ConversationState.RequestReceived => (_theirs.InitiatorDepth, _theirs.ResponderResources),
        ConversationState.ReplyReceived => (_theirs.InitiatorDepth, _theirs.ResponderResources),
        ConversationState.Established when _request is null => (_theirs.InitiatorDepth, _theirs.ResponderResources),
        _ => (_own.ResponderResources, _own.InitiatorDepth),
    };
}
