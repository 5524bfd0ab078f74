using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>A destination that a process has asked for, and what it is told of it.</summary>
internal sealed class Route(HandoverProcess process, uint index, Destination destination, Ipv4 source)
{
    private const int LargestStock = 16;
    private const long BusyWithin = 1000;

    private int _stock;
    private long _lastConnect;

    public HandoverProcess Process { get; } = process;

    public uint Index { get; } = index;

    public Destination Destination { get; } = destination;

    public Ipv4 Source { get; } = source;

    public ListenerKey Key => new(Process.Container.Tenant.Key, Destination.Address, (ushort)Destination.Port);

    /// <summary>None: accelerated.</summary>
    public PlainReason Reason { get; private set; } = PlainReason.NoOwner;

    public ushort Generation { get; private set; }

    /// <summary>The router that the destination is at, and the endpoint there.</summary>
    public HandoverPeer? Peer { get; private set; }

    public bool IsIpv6Listener { get; private set; }

    /// <summary>Sockets that the process has in stock, as far as it has told.</summary>
    public int Outstanding { get; set; }

    /// <summary>Whether its last sockets were AF_INET6.</summary>
    public bool WantsIpv6 { get; set; }

    /// <summary>The route's word in the route memory (FF_ROUTE_* of protocol.h).</summary>
    public uint Word => ((uint)Generation << 16) | ((uint)Reason << 8) | (Reason == PlainReason.None ? 2u : 1u);

    /// <summary>Sets what holds from now on; true when that is something else than before.</summary>
    public bool Become(PlainReason reason, HandoverPeer? peer, bool isIpv6Listener)
    {
        if (Generation != 0 && reason == Reason && peer == Peer && isIpv6Listener == IsIpv6Listener)
            return false;
        (Reason, Peer, IsIpv6Listener) = (reason, peer, isIpv6Listener);
        if (++Generation == 0)
            Generation = 1;
        Outstanding = 0;
        return true;
    }

    /// <summary>How many sockets to send after a connect: none while they come now and then, up to a stock while they come often.</summary>
    public int ToSend(long now)
    {
        _stock = now - _lastConnect < BusyWithin ? Math.Min(LargestStock, Math.Max(1, _stock * 2)) : _stock / 4;
        _lastConnect = now;
        return Outstanding * 2 < _stock ? Math.Min(_stock - Outstanding, HostSocket.MaximumDescriptors) : 0;
    }

    /// <summary>How many when it has none.</summary>
    public int ToSendAtOnce => Math.Clamp(_stock, 1, HostSocket.MaximumDescriptors);
}
