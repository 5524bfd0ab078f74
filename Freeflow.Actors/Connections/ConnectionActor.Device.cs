using System.Buffers.Binary;
using Akka.Event;
using System.Runtime.InteropServices;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Events;
using Freeflow.Actors.SharedReceiveQueues;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Connections;

// The device itself: context, attributes, port, async events.
public sealed partial class ConnectionActor
{
    private const byte Port = 1;
    private const uint VendorId = 0xffffff;

    // What DeviceCapFlags promises: RNR NAKs, port events, a system image GUID, the current state in MODIFY_QP.
    // SRQs that can be resized, memory windows of both types (2B), invalidation.
    private const uint DeviceCapabilities =
        (1u << 7) | (1u << 10) | (1u << 11) | (1u << 12) | (1u << 13) | (1u << 17) | (1u << 21) | (1u << 24);

    private readonly Dictionary<ulong, uint> _asyncDelivered = [];
    private Verbs.Channel.EventStream? _asyncEvents;
    private bool _hasLostEvents;

    private void GetContext(UverbsCall call)
    {
        if (_asyncEvents is not null || !call.TryRead<GetContextCommand>(out _))
        {
            Fail(Errno.EINVAL);
            return;
        }

        _asyncEvents = Verbs.Channel.EventStream.TryCreate(Marshal.SizeOf<AsyncEventDescriptor>());
        if (_asyncEvents is null)
        {
            Fail(Errno.ENOMEM);
            return;
        }

        Answer(new ConnectionProtocol.Answer(0, call.Respond(new GetContextResponse { NumCompVectors = 1 }))
        {
            Descriptors = [_asyncEvents.ApplicationEnd, _asyncEvents.WritingEnd],
            DescriptorPatch = (uint)Marshal.OffsetOf<GetContextResponse>(nameof(GetContextResponse.AsyncFd)),
        });
    }

    private void QueryDevice(UverbsCall call)
    {
        if (!call.IsExtended)
        {
            Respond(call.Respond(DeviceAttributes()));
            return;
        }

        if (!call.TryReadExtended<ExQueryDeviceCommand>(Marshal.SizeOf<ExQueryDeviceCommand>(), out var query) || query.CompMask != 0)
        {
            Fail(Errno.EINVAL);
            return;
        }

        var length = Math.Min(call.Room, Marshal.SizeOf<ExQueryDeviceResponse>());
        Respond(call.Respond(new ExQueryDeviceResponse { Base = DeviceAttributes(), ResponseLength = (uint)length }));
    }

    private QueryDeviceResponse DeviceAttributes()
    {
        var limits = _plane.Limits;
        var guid = BinaryPrimitives.ReverseEndianness(_device.Guid);
        return new QueryDeviceResponse
        {
            NodeGuid = guid,
            SysImageGuid = guid,
            MaxMrSize = (ulong)limits.RegisteredBytes,
            PageSizeCap = 0xfffff000,
            VendorId = VendorId,
            MaxQp = (uint)limits.QueuePairs,
            MaxQpWr = QueuePairLimits.MaximumWorkRequests,
            DeviceCapFlags = DeviceCapabilities,
            MaxSge = QueuePairLimits.MaximumSges,
            MaxSgeRd = QueuePairLimits.MaximumSges,
            MaxCq = (uint)limits.CompletionQueues,
            MaxCqe = QueuePairLimits.MaximumCompletions,
            MaxMr = (uint)limits.MemoryRegions,
            MaxMw = (uint)limits.MemoryWindows,
            MaxSrq = (uint)limits.SharedReceiveQueues,
            MaxSrqWr = SharedReceiveQueueChecks.MaximumWorkRequests,
            MaxSrqSge = SharedReceiveQueueChecks.MaximumSges,
            MaxPd = (uint)limits.ProtectionDomains,
            MaxMcastGrp = (uint)limits.MulticastAttachments,
            MaxMcastQpAttach = (uint)limits.MulticastAttachments,
            MaxTotalMcastQpAttach = (uint)limits.MulticastAttachments,
            MaxAh = (uint)limits.AddressHandles,
            MaxQpRdAtom = QueuePairLimits.MaximumReadAtomic,
            MaxResRdAtom = QueuePairLimits.MaximumReadAtomic * (uint)limits.QueuePairs,
            MaxQpInitRdAtom = QueuePairLimits.MaximumReadAtomic,
            AtomicCap = 1,
            MaxPkeys = 1,
            LocalCaAckDelay = 15,
            PhysPortCnt = 1,
        };
    }

    private void QueryPort(UverbsCall call)
    {
        if (!call.TryRead<QueryPortCommand>(out var query) || query.PortNum != Port)
        {
            Fail(Errno.EINVAL);
            return;
        }

        const byte active = 4, down = 1, linkUp = 5, disabled = 3, ethernet = 2, mtu4096 = 5, width1X = 1, speedSdr = 1;
        Respond(call.Respond(new QueryPortResponse
        {
            PortCapFlags = 0x00010000,
            MaxMsgSz = EngineLimits.MaximumMessage,
            GidTblLen = (uint)_device.Gids.Count,
            PkeyTblLen = 1,
            Lid = _device.Lid,
            State = _device.IsUp ? active : down,
            MaxMtu = mtu4096,
            ActiveMtu = _device.ActiveMtu,
            MaxVlNum = 1,
            ActiveWidth = width1X,
            ActiveSpeed = speedSdr,
            PhysState = _device.IsUp ? linkUp : disabled,
            LinkLayer = ethernet,
            Flags = 1,
        }));
    }

    private void ChangeDevice(ContainerDevice device)
    {
        var before = _device;
        _device = device;
        if (_engineConnection is not null)
            _engineConnection.Port = device.EnginePort;
        if (before.IsUp != device.IsUp)
            Raise(new ConnectionProtocol.AsyncEvent(device.IsUp ? AsyncEventType.PortActive : AsyncEventType.PortError, Port));
        if (!before.Gids.SequenceEqual(device.Gids))
            Raise(new ConnectionProtocol.AsyncEvent(AsyncEventType.GidChange, Port));
    }

    /// <summary>What an object below says of itself. One that is gone has nothing more to say: its user handle means nothing now.</summary>
    private void RaiseFor(ConnectionProtocol.AsyncEvent news)
    {
        if (_handles.ContainsKey(Sender))
            Raise(news);
    }

    private void Raise(ConnectionProtocol.AsyncEvent news)
    {
        if (_asyncEvents is null)
            return;
        var description = new AsyncEventDescriptor { Element = news.Element, EventType = (uint)news.Type };
        if (_asyncEvents.TryWrite(MemoryMarshal.AsBytes(new ReadOnlySpan<AsyncEventDescriptor>(in description))))
            _asyncDelivered[news.Element] = _asyncDelivered.GetValueOrDefault(news.Element) + 1;
        else if (!_hasLostEvents)
        {
            _hasLostEvents = true;
            Context.Report(
                EventKind.AsyncEventLost, $"Connection {_connection.Id}: event {news.Type} is lost, the application does not read its events; later ones are not shown",
                ("container", _connection.Namespace.Id), ("pid", _connection.PeerPid));
        }
    }

    /// <summary>How many async events the application has had, or must still acknowledge, for an object that ends.</summary>
    private uint TakeAsyncEvents(ulong element) =>
        _asyncDelivered.Remove(element, out var written) ? written - (uint)(_asyncEvents?.Withdraw(element) ?? 0) : 0;
}
