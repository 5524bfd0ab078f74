using Freeflow.Verbs.Handover.Relays;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

// Connections over the host's network whose listener does not take them: its own network brings them to it, and the client's
// router carries them there.
public sealed partial class HandoverLoop
{
    /// <summary>The listener's own backlog may be full for a while: then the kernel tries again, as it does for anybody.</summary>
    private const long DialedWithin = 60_000;
    private const long RelayedWithin = DialedWithin + 1_000;
    private const int MostAwaited = 4096;

    private readonly RelayLoop _relays;
    private readonly Dictionary<RelayKey, AwaitedRelay> _awaited = [];

    /// <summary>
    /// Has a connection that was accepted for a container come to its listener by the overlay; it is reset where that can't be.
    /// </summary>
    /// <param name="socket">Is taken over.</param>
    /// <param name="tenant">Whose addresses they are.</param>
    /// <param name="ends">As the server sees them.</param>
    /// <param name="channel">Whose it was, to be told where the plain one comes from; null: nobody's.</param>
    private void Relay(int socket, ulong tenant, in VirtualEnds ends, DeliveryChannel? channel)
    {
        var (client, deadline) = (ends.Reversed, Now + RelayedWithin);
        if (NetworkOf(tenant, client.Local) is { } network)
        {
            _relays.Connect(() => network.Connect(client), Now + DialedWithin, plain =>
            {
                if (plain >= 0)
                {
                    var port = (ushort)HostSocket.PortOf(plain);
                    Post(() => Relayed(channel, client with { LocalPort = port }));
                    _relays.Join(socket, plain, new RelayOwner(tenant, client.Peer));
                    return;
                }

                HostSocket.Reset(socket);
                Post(() => Statistics.Reset++);
            });
            return;
        }

        var key = new RelayKey(tenant, client);

        // The directory may not have heard of the client's container yet; its router has announced the connection.
        if (PeerAt(HostSocket.PeerOf(socket)) is not { } peer || peer.Link is not { } link || _awaited.Count >= MostAwaited
            || !_awaited.TryAdd(key, new AwaitedRelay(peer, socket, channel, deadline)))
        {
            Statistics.Reset++;
            HostSocket.Reset(socket);
            return;
        }

        link.Send(FrameOf(HandoverFrameType.Relay, key));
    }

    /// <summary>The plain connection is there.</summary>
    /// <param name="channel">Whose it was.</param>
    /// <param name="client">Its ends, as its client sees them.</param>
    private void Relayed(DeliveryChannel? channel, in VirtualEnds client)
    {
        Statistics.Relayed++;
        if (channel?.Probe is { } probe && probe.Client == client with { LocalPort = probe.Client.LocalPort })
            channel.Probe = probe with { Plain = client.Reversed };
    }

    /// <summary>A peer's listener does not take a connection that a container here has begun.</summary>
    private void Relay(HandoverPeer peer, RelayKey key)
    {
        if (NetworkOf(key.Tenant, key.Client.Local) is not { } network || _owners.OwnerOf(key.Tenant, key.Client.Peer) != peer.Number
            || !_policy.Allows(key.Tenant, key.Client.Local, key.Tenant, key.Client.Peer, key.Client.PeerPort))
        {
            RefuseRelay(peer, key);
            return;
        }

        var deadline = Now + DialedWithin;
        _relays.Connect(() => network.Connect(key.Client), deadline, plain =>
        {
            if (plain < 0)
            {
                Post(() => RefuseRelay(peer, key));
                return;
            }

            var port = (ushort)HostSocket.PortOf(plain);
            _relays.Connect(() => BeginToRouter(peer, key, port), deadline, toRouter =>
            {
                if (toRouter >= 0)
                {
                    _relays.Join(plain, toRouter, new RelayOwner(key.Tenant, key.Client.Local));
                    return;
                }

                HostSocket.Reset(plain);
                Post(() => RefuseRelay(peer, key));
            });
        });
    }

    /// <summary>A connection to another router's endpoint that carries a relayed one. On the relays' thread.</summary>
    private int BeginToRouter(HandoverPeer peer, RelayKey key, ushort plainPort)
    {
        var socket = HostSocket.OpenNonBlocking();
        if (socket < 0)
            return socket;
        var result = HostSocket.Bind(socket, ipv6: false, _host, 0);
        if (result >= 0)
        {
            var hostPort = (ushort)HostSocket.PortOf(socket);
            Post(() => peer.Link?.Send(FrameOf(HandoverFrameType.Relayed, key) with { HostPort = hostPort, PlainPort = plainPort }));
            result = HostSocket.Connect(socket, peer.Address, peer.Port);
        }

        if (result >= 0)
            return socket;
        HostSocket.Close(socket);
        return result;
    }

    private static void RefuseRelay(HandoverPeer peer, RelayKey key) => peer.Link?.Send(FrameOf(HandoverFrameType.RelayRefused, key));

    /// <summary>A relay's connection to this router has come, announced by the peer.</summary>
    private void Join(int socket, in Announcement announcement)
    {
        var key = new RelayKey(announcement.Tenant, announcement.Ends);
        if (!_awaited.Remove(key, out var awaited))
        {
            HostSocket.Reset(socket);
            return;
        }

        if (awaited.Peer != announcement.Peer)
        {
            // Another router than the one that was asked.
            _awaited.Add(key, awaited);
            Statistics.Misused++;
            HostSocket.Reset(socket);
            return;
        }

        Relayed(awaited.Channel, announcement.Ends with { LocalPort = announcement.RelayedFrom!.Value });
        _relays.Join(awaited.Socket, socket, new RelayOwner(key.Tenant, key.Client.Peer));
    }

    private void EndAwaited(RelayKey key, HandoverPeer peer)
    {
        if (_awaited.TryGetValue(key, out var awaited) && awaited.Peer == peer)
            EndAwaited(key, awaited);
    }

    private void EndAwaited(RelayKey key, in AwaitedRelay awaited)
    {
        _awaited.Remove(key);
        Statistics.Reset++;
        HostSocket.Reset(awaited.Socket);
    }

    private void EndLateRelays(long now)
    {
        foreach (var (key, awaited) in _awaited)
        {
            if (now >= awaited.Deadline || awaited.Peer.Link is null)
                EndAwaited(key, awaited);
        }
    }

    private HandoverPeer? PeerAt(Ipv4 address)
    {
        foreach (var peer in _peers.Values)
        {
            if (peer.Address == address)
                return peer;
        }

        return null;
    }

    /// <summary>The network of a container of this host's, where it is known.</summary>
    private IContainerNetwork? NetworkOf(ulong tenant, Ipv4 address) => ContainerAt(tenant, address)?.Network;

    private static HandoverFrame FrameOf(HandoverFrameType type, in RelayKey key) => new()
    {
        Type = type,
        Tenant = key.Tenant,
        Source = key.Client.Local.Network,
        SourcePort = key.Client.LocalPort,
        Destination = key.Client.Peer.Network,
        DestinationPort = key.Client.PeerPort,
    };

    /// <summary>A connection that is relayed, as its client sees it.</summary>
    private readonly record struct RelayKey(ulong Tenant, VirtualEnds Client);

    private readonly record struct AwaitedRelay(HandoverPeer Peer, int Socket, DeliveryChannel? Channel, long Deadline);
}
