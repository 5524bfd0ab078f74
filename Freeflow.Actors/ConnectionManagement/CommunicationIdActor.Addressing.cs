using Akka.Actor;
using System.Runtime.CompilerServices;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Directory;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.ConnectionManagement;

// Where the id is and where it leads: binding, resolving, options.
public sealed partial class CommunicationIdActor
{
    private const uint OptionLevelId = 0;
    private const uint OptionLevelIb = 1;
    private const byte LargestAckTimeout = 31;

    private static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(20);

    private PortTable.Binding? _binding;
    private RdmaAddress _source;
    private RdmaAddress _destination;
    private bool _isOnDevice;
    private bool _hasRoute;
    private bool _isReusable;
    private bool? _isFamilyOnly;
    private byte _typeOfService;
    private byte? _ackTimeout;
    private TimeSpan _resolveWithin;
    private TimeSpan _resolvesSince;

    private void ReceiveAddresses() => Receive<LookAgain>(_ => Resolve());

    private ConnectionProtocol.Answer BindIp(RdmaCmCall call)
    {
        if (!call.TryRead<BindIpCommand>(out var command) || !RdmaAddress.TryRead(SocketAddressIn6.Bytes(ref command.Addr), out var address))
            return Error(Errno.EINVAL);
        return Error(Bind(address));
    }

    private ConnectionProtocol.Answer Bind(RdmaCmCall call)
    {
        if (!call.TryRead<BindCommand>(out var command) || command.Reserved != 0 || !TryReadExactly(ref command.Addr, command.AddrSize, out var address))
            return Error(Errno.EINVAL);
        return Error(Bind(address));
    }

    /// <summary>An address whose structure has just the size that the command says.</summary>
    private static bool TryReadExactly(ref SocketAddressStorage storage, int size, out RdmaAddress address) =>
        RdmaAddress.TryRead(SocketAddressStorage.Bytes(ref storage), out address) && address.Size == size;

    private int Bind(RdmaAddress address)
    {
        if (!TryMove(CommunicationIdState.Idle, CommunicationIdState.AddressBound))
            return Errno.EINVAL;
        var refused = TryBind(address);
        if (refused != 0)
            _state = CommunicationIdState.Idle;
        return refused;
    }

    private int TryBind(RdmaAddress address)
    {
        var isOnDevice = !address.IsAny;
        if (isOnDevice && !_device.Gids.Any(entry => entry.Gid == address.Gid))
            return address.IsLoopback || address.Family == RdmaAddressFamily.Ib ? Errno.ENODEV : Errno.EADDRNOTAVAIL;
        if (PortSpaceOf(ref address) is not { } space)
            return Errno.EPROTONOSUPPORT;
        var isFamilyOnly = _isFamilyOnly ?? address.Family == RdmaAddressFamily.Inet;
        var binding = new PortTable.Binding(_spec.Number, space, address, _isReusable, isFamilyOnly);
        var refused = _spec.Ports.Bind(binding);
        if (refused != 0)
            return refused;
        _binding = binding;
        _source = binding.Address;
        _isOnDevice = isOnDevice;
        return 0;
    }

    /// <summary>Of which ports an address's is; null where it names a space that the id may not use. Completes an IB address's service id.</summary>
    private PortSpace? PortSpaceOf(ref RdmaAddress address)
    {
        if (address.Family != RdmaAddressFamily.Ib)
            return _spec.Space == PortSpace.Ib ? null : _spec.Space;
        var mask = address.ServiceMask & RdmaAddress.PortSpaceMask;
        foreach (var space in new[] { PortSpace.Ib, PortSpace.Tcp, PortSpace.Udp })
        {
            var own = (ulong)space << 16;
            if ((_spec.Space != PortSpace.Ib && _spec.Space != space) || (address.ServiceId & mask) != (own & mask))
                continue;
            address = address with { ServiceId = own | (ushort)(address.ServiceId & address.ServiceMask), ServiceMask = address.ServiceMask | RdmaAddress.PortSpaceMask };
            return space;
        }

        return null;
    }

    private ConnectionProtocol.Answer ResolveIp(RdmaCmCall call)
    {
        if (!call.TryRead<ResolveIpCommand>(out var command) || !RdmaAddress.TryRead(SocketAddressIn6.Bytes(ref command.DstAddr), out var destination))
            return Error(Errno.EINVAL);
        RdmaAddress source = default;
        var given = SocketAddressIn6.Bytes(ref command.SrcAddr);
        if ((given[0] | given[1]) != 0 && !RdmaAddress.TryRead(given, out source))
            return Error(Errno.EINVAL);
        return Error(Resolve(source, destination, command.TimeoutMs));
    }

    private ConnectionProtocol.Answer ResolveAddress(RdmaCmCall call)
    {
        RdmaAddress source = default;
        if (!call.TryRead<ResolveAddrCommand>(out var command) || command.Reserved != 0
            || (command.SrcSize != 0 && !TryReadExactly(ref command.SrcAddr, command.SrcSize, out source))
            || !TryReadExactly(ref command.DstAddr, command.DstSize, out var destination))
            return Error(Errno.EINVAL);
        return Error(Resolve(source, destination, command.TimeoutMs));
    }

    private int Resolve(RdmaAddress source, RdmaAddress destination, uint milliseconds)
    {
        if (_state == CommunicationIdState.Idle)
        {
            var refused = Bind(source.Family == RdmaAddressFamily.None ? RdmaAddress.Any(destination.Family) : source);
            if (refused != 0)
                return refused;
        }

        if (_source.Family != destination.Family || !TryMove(CommunicationIdState.AddressBound, CommunicationIdState.AddressQuery))
            return Errno.EINVAL;
        _destination = destination;
        (_resolveWithin, _resolvesSince) = (TimeSpan.FromMilliseconds(milliseconds), Context.System.Scheduler.MonotonicClock);
        Self.Tell(LookAgain.Instance);
        return 0;
    }

    /// <summary>Looks for the destination until it is known or the application's time is over, as the kernel waits for a neighbour.</summary>
    private void Resolve()
    {
        if (_state != CommunicationIdState.AddressQuery)
            return;
        var destination = _destination;
        if (destination.IsAny && LocalAddress(destination.Gid) is { } own)
            destination = destination with { Gid = own };
        if (destination.IsLoopback || _device.Gids.Count == 0)
        {
            NotResolved(Errno.ENODEV);
        }
        else if (destination.IsMulticast || _plane.Book.PeerOf(TenantAddress.Of(_device.Tenant, destination.Gid)) is not null)
        {
            Resolved(destination);
        }
        else if (Context.System.Scheduler.MonotonicClock - _resolvesSince >= _resolveWithin)
        {
            NotResolved(Errno.ETIMEDOUT);
        }
        else
        {
            Timers.StartSingleTimer(nameof(LookAgain), LookAgain.Instance, s_lookEvery);
        }
    }

    private void Resolved(RdmaAddress destination)
    {
        if (_source.IsAny)
        {
            if (LocalAddress(destination.Gid) is not { } own)
            {
                NotResolved(Errno.ENODEV);
                return;
            }

            _source = _source with { Gid = own };
        }

        if (!destination.IsMulticast && !_plane.Policy.Current.AllowsPair(_device.EnginePort, _source.Gid, destination.Gid))
        {
            // As a route that is prohibited.
            NotResolved(Errno.EACCES);
            return;
        }

        _destination = destination;
        _isOnDevice = true;
        _state = CommunicationIdState.AddressResolved;
        Raise(RdmaCmEventType.AddressResolved);
    }

    private void NotResolved(int errno)
    {
        _state = CommunicationIdState.AddressBound;
        Raise(RdmaCmEventType.AddressError, -errno);
    }

    /// <summary>The container's address that is nearest to a destination: the one with the longest prefix in common.</summary>
    private Gid? LocalAddress(Gid destination)
    {
        var to = destination.ToAddress();
        return _device.Gids
            .Where(entry => destination.IsZero || entry.Gid.ToAddress().AddressFamily == to.AddressFamily)
            .OrderByDescending(entry => Common(entry.Gid, destination))
            .Select(entry => (Gid?)entry.Gid)
            .FirstOrDefault();
    }

    private static int Common(Gid one, Gid other)
    {
        Span<byte> a = stackalloc byte[Unsafe.SizeOf<Gid>()], b = stackalloc byte[Unsafe.SizeOf<Gid>()];
        one.CopyTo(a);
        other.CopyTo(b);
        var bytes = a.CommonPrefixLength(b);
        return bytes == a.Length ? bytes * 8 : (bytes * 8) + byte.LeadingZeroCount((byte)(a[bytes] ^ b[bytes]));
    }

    private ConnectionProtocol.Answer ResolveRoute(RdmaCmCall call)
    {
        if (!call.TryRead<ResolveRouteCommand>(out var command) || command.TimeoutMs == 0
            || !TryMove(CommunicationIdState.AddressResolved, CommunicationIdState.RouteResolved))
            return Error(Errno.EINVAL);
        _hasRoute = true;
        Raise(RdmaCmEventType.RouteResolved);
        return Done;
    }

    private ConnectionProtocol.Answer SetOption(RdmaCmCall call)
    {
        if (!call.TryRead<SetOptionCommand>(out var command) || call.Value.Length != command.Optlen)
            return Error(Errno.EINVAL);
        var value = call.Value.Span;
        return Error(command.Level switch
        {
            OptionLevelId => SetIdOption(command.Optname, value),
            OptionLevelIb when command.Optname == 1 => SetPath(value),
            _ => Errno.ENOSYS,
        });
    }

    private int SetIdOption(uint name, ReadOnlySpan<byte> value)
    {
        const uint typeOfService = 0, reuse = 1, familyOnly = 2, ackTimeout = 3;
        if (name > ackTimeout)
            return Errno.ENOSYS;
        if (value.Length != (name is typeOfService or ackTimeout ? sizeof(byte) : sizeof(int)))
            return Errno.EINVAL;
        var isTrue = value.IndexOfAnyExcept((byte)0) >= 0;
        switch (name)
        {
            case typeOfService:
                _typeOfService = value[0];
                return 0;
            case reuse:
                // On a bound id it can be set, but not taken back.
                if (_state != CommunicationIdState.Idle && !isTrue)
                    return Errno.EINVAL;
                _isReusable = isTrue;
                if (_binding is not null)
                    _binding.IsReusable = isTrue;
                return 0;
            case familyOnly:
                if (_state is not (CommunicationIdState.Idle or CommunicationIdState.AddressBound))
                    return Errno.EINVAL;
                _isFamilyOnly = isTrue;
                if (_binding is not null)
                    _binding.IsFamilyOnly = isTrue;
                return 0;
            default:
                if (_spec.Type != QueuePairType.ReliableConnection)
                    return Errno.EINVAL;
                _ackTimeout = Math.Min(value[0], LargestAckTimeout);
                return 0;
        }
    }

    /// <summary>A path that the application has found by itself; between containers there is only the one.</summary>
    private int SetPath(ReadOnlySpan<byte> value)
    {
        var size = Unsafe.SizeOf<PathRecordData>();
        if (value.Length % size != 0)
            return Errno.EINVAL;
        var isPrimary = false;
        for (var at = 0; at < value.Length && !isPrimary; at += size)
            isPrimary = BitConverter.ToUInt32(value[at..]) == PathRecordData.PrimaryFlags;
        if (!isPrimary || !_isOnDevice || !TryMove(CommunicationIdState.AddressResolved, CommunicationIdState.RouteResolved))
            return Errno.EINVAL;
        _hasRoute = true;
        Raise(RdmaCmEventType.RouteResolved);
        return 0;
    }

    private sealed class LookAgain
    {
        public static LookAgain Instance { get; } = new();
    }
}
