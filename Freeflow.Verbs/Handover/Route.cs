using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>A destination that a process has asked for, and what it is told of it.</summary>
/// <param name="process">Whose it is.</param>
/// <param name="index">Its place in the route memory.</param>
/// <param name="destination">Where to.</param>
/// <param name="source">Where from.</param>
/// <param name="replaced">
/// The generation of the route that had its place before, or 0: sockets of that one may lie unread in the process's note socket still,
/// and must not pass for this one's.
/// </param>
internal sealed class Route(HandoverProcess process, uint index, Destination destination, Ipv4 source, ushort replaced = 0)
{
    private const int LargestStock = 16;
    private const long BusyWithin = 1000;

    private bool _isJudged;
    private long _pacing;
    private int _stock;
    private long _lastConnect;

    public HandoverProcess Process { get; } = process;

    public uint Index { get; } = index;

    public Destination Destination { get; } = destination;

    public Ipv4 Source { get; } = source;

    public ListenerKey Key => new(Process.Container.Tenant.Key, Destination.Address, (ushort)Destination.Port);

    /// <summary>None: accelerated.</summary>
    public PlainReason Reason { get; private set; } = PlainReason.NoOwner;

    public ushort Generation { get; private set; } = replaced;

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
    public bool Become(PlainReason reason, HandoverPeer? peer, bool isIpv6Listener, long pacing = 0)
    {
        if (_isJudged && reason == Reason && peer == Peer && isIpv6Listener == IsIpv6Listener && pacing == _pacing)
            return false;
        (_isJudged, Reason, Peer, IsIpv6Listener, _pacing) = (true, reason, peer, isIpv6Listener, pacing);
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
