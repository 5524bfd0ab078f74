using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Links;

namespace Freeflow.Verbs.Handover;

// The other routers: links to them, what they say, what they are told.
public sealed partial class HandoverLoop
{
    private const long PingEvery = 1000;

    private long _nextPing;
    private bool _announces; // an announcement is among what is to be sent

    /// <summary>A member of the cluster, by its underlay address. Connections from there may be announced.</summary>
    public void AddPeer(int number, Ipv4 address) => Post(() => _peers[number] = new HandoverPeer(number, address));

    /// <summary>A member has left or was removed.</summary>
    public void RemovePeer(int number) => Post(() =>
    {
        if (!_peers.Remove(number, out var peer))
            return;
        if (peer.Link is { } link)
            Close(link, "the peer was removed");
        Statistics.Expired += _arrivals.Forget(peer);
        if (!IsRouter(peer.Address))
            _lock.Forget(peer.Address);
        ReviewAll();
    });

    /// <summary>Gives the loop a connection to a peer's; an older one is closed.</summary>
    public void AttachLink(int number, AuthenticatedLink link) => Post(() =>
    {
        if (!_peers.TryGetValue(number, out var peer))
        {
            link.Dispose();
            return;
        }

        if (peer.Link is { } older)
            Close(older, "replaced by a newer connection");
        var attached = new HandoverLink(peer, link, _nextKey++, Now);
        peer.Link = attached;
        _sources.Add(attached.Key, attached);
        _epoll.Add(attached.Socket, EpollEvents.In, attached.Key);
        Statistics.Links++;
        attached.Send(new HandoverFrame
        {
            Type = HandoverFrameType.Hello,
            Version = HandoverFrame.CurrentVersion,
            DestinationPort = (ushort)_own.Port,
            SourcePort = (ushort)_own.Ipv6Port,
        });
        foreach (var (key, state) in _own.Listeners)
            attached.Send(FrameOf(key, state));
        _events.HandoverLinkUp(number);
    });

    private bool IsRouter(Ipv4 address) => PeerAt(address) is not null;

    private void Broadcast(in HandoverFrame frame)
    {
        foreach (var peer in _peers.Values)
            peer.Link?.Send(frame);
    }

    /// <summary>Says which connection is about to come, to the router that it comes to.</summary>
    private void Announce(HandoverContainer container, in GivenSocket given, long now)
    {
        if (given.Peer == _own)
        {
            // It need not be said, and may be.
            Hear(_own, (_host, given.HostPort), container.Tenant.Key, given.Ends, given.IsIpv6Listener, now);
            return;
        }

        _announces = true;
        given.Peer.Link?.Send(new HandoverFrame
        {
            Type = HandoverFrameType.Announce,
            Flags = given.IsIpv6Listener ? HandoverFlags.Ipv6 : 0,
            HostPort = given.HostPort,
            Tenant = container.Tenant.Key,
            Source = given.Ends.Local.Network,
            SourcePort = given.Ends.LocalPort,
            Destination = given.Ends.Peer.Network,
            DestinationPort = given.Ends.PeerPort,
        });
    }

    /// <summary>A connection was announced; <paramref name="ends"/> are as the client sees them.</summary>
    private void Hear(HandoverPeer from, (Ipv4 From, int Port) key, ulong tenant, in VirtualEnds ends, bool isIpv6, long now, ushort? relayedFrom = null)
    {
        var announcement = new Announcement(from, tenant, ends, isIpv6, now + (long)_options.AnnouncementTimeout.TotalMilliseconds, relayedFrom);
        if (_arrivals.Announce(key, announcement, out var arrival))
            Deliver(arrival.Socket, key, arrival.IsIpv6, announcement);
    }

    private void Serve(HandoverLink link, EpollEvents events)
    {
        if ((events & EpollEvents.Out) != 0)
            link.Flush();
        if ((events & ~EpollEvents.Out) != 0)
        {
            var now = Now;
            do
            {
                foreach (ref readonly var frame in link.Receive(now))
                    Take(link, frame, now);
            }
            while (link.HasMore && link.Broken is null);
        }

        if (link.Broken is { } reason)
            Close(link, reason);
    }

    private void Take(HandoverLink link, in HandoverFrame frame, long now)
    {
        var peer = link.Peer;
        var key = new ListenerKey(frame.Tenant, new Ipv4(frame.Destination), frame.DestinationPort);
        switch (frame.Type)
        {
            case HandoverFrameType.Hello when frame.Version == HandoverFrame.CurrentVersion && frame.DestinationPort != 0 && frame.SourcePort != 0:
                (peer.Port, peer.Ipv6Port) = (frame.DestinationPort, frame.SourcePort);
                ReviewAll();
                break;
            case HandoverFrameType.Hello:
                _events.Noticed($"the router at {peer.Address} speaks version {frame.Version} of TCP mode, this one {HandoverFrame.CurrentVersion}: connections to it are plain");
                break;
            case HandoverFrameType.ListenerUp when peer.IsReachable:
                peer.Listeners[key] = new ListenerState((frame.Flags & HandoverFlags.Ipv6) != 0, (frame.Flags & HandoverFlags.Busy) != 0);
                Review(key);
                break;
            case HandoverFrameType.ListenerDown:
                peer.Listeners.Remove(key);
                Review(key);
                break;
            case HandoverFrameType.Announce:
                FaultPoint.Pass(FaultPoint.AnnouncementReceived);
                var ends = EndsOf(frame);
                // A router speaks for the addresses that it owns, and for no others.
                if (_owners.OwnerOf(frame.Tenant, ends.Local) is { } owner && owner != peer.Number)
                    Statistics.Misused++;
                else
                    Hear(peer, (peer.Address, frame.HostPort), frame.Tenant, ends, (frame.Flags & HandoverFlags.Ipv6) != 0, now);
                break;
            case HandoverFrameType.Relay:
                Relay(peer, new RelayKey(frame.Tenant, EndsOf(frame)));
                break;
            case HandoverFrameType.Relayed:
                Hear(peer, (peer.Address, frame.HostPort), frame.Tenant, EndsOf(frame), isIpv6: false, now, frame.PlainPort);
                break;
            case HandoverFrameType.RelayRefused:
                EndAwaited(new RelayKey(frame.Tenant, EndsOf(frame)), peer);
                break;
            case HandoverFrameType.Ping:
                break;
            default:
                Statistics.Misused++;
                break;
        }
    }

    private static VirtualEnds EndsOf(in HandoverFrame frame) =>
        new(new Ipv4(frame.Source), frame.SourcePort, new Ipv4(frame.Destination), frame.DestinationPort);

    private void FlushLinks()
    {
        foreach (var peer in _peers.Values)
        {
            if (peer.Link is not { } link || (!link.HasOutgoing && !link.AwaitsRoom))
                continue;
            link.Flush();
            if (link.HasOutgoing == link.AwaitsRoom || link.Broken is not null)
                continue;
            link.AwaitsRoom = link.HasOutgoing;
            _epoll.Modify(link.Socket, EpollEvents.In | (link.AwaitsRoom ? EpollEvents.Out : 0), link.Key);
        }

        if (!_announces)
            return;
        _announces = false;
        FaultPoint.Pass(FaultPoint.AnnouncementSent);
    }

    private void WatchPeers(long now)
    {
        foreach (var peer in _peers.Values)
        {
            if (peer.Link is not { } link)
                continue;
            if (now >= _nextPing)
                link.Send(new HandoverFrame { Type = HandoverFrameType.Ping });
            if (link.Broken is { } reason)
                Close(link, reason);
            else if (now - link.LastHeard > _options.SilenceTimeout.TotalMilliseconds)
                Close(link, $"it has said nothing for {_options.SilenceTimeout.TotalSeconds} s");
        }

        if (now >= _nextPing)
            _nextPing = now + PingEvery;
    }

    private void Close(HandoverLink link, string reason)
    {
        if (!_sources.Remove(link.Key))
            return;
        _epoll.Remove(link.Socket);
        link.Dispose();
        Statistics.Links--;
        if (link.Peer.Link == link)
            link.Peer.Lose();
        ReviewAll();
        _events.HandoverLinkDown(link.Peer.Number, reason);
    }
}
