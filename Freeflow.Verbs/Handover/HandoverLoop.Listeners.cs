using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

// Listeners: what is known of them elsewhere, and the connections that come for them.
public sealed partial class HandoverLoop
{
    private const int AcceptsPerTurn = 256;
    private const int MaximumOverflow = 1024;
    private const long OverflowWithin = 60_000;

    private readonly Dictionary<ListenerKey, HandoverContainer> _published = [];
    private bool _isDraining;
    private int _turn;
    private int _overflowing; // connections in all overflows

    /// <summary>Queues connections to a listener from the moment on that somebody waits for it.</summary>
    public void Attach(DeliveryChannel channel) => Post(() =>
    {
        channel.Key = _nextKey++;
        channel.Container.Listeners.Add(channel);
        _sources.Add(channel.Key, channel);
        _epoll.Add(channel.Handle, EpollEvents.In, channel.Key);
    });

    /// <summary>Takes a listener out and disposes it; what is queued stays with whoever has the channel's other end.</summary>
    public void Detach(DeliveryChannel channel) => Post(() => DetachNow(channel));

    /// <summary>
    /// Whether connections that begin from now on are plain: those of containers here, and those to listeners here, which the others are told
    /// are busy, so that what is on its way still comes.
    /// </summary>
    public void Drain(bool drains) => Post(() =>
    {
        _isDraining = drains;
        foreach (var container in _containers)
            Publish(container);
        ReviewAll();
    });

    private void DetachNow(DeliveryChannel channel)
    {
        if (!_sources.Remove(channel.Key))
            return;
        _epoll.Remove(channel.Handle);
        channel.Container.Listeners.Remove(channel);
        Statistics.Reset += channel.Overflow.Count;
        _overflowing -= channel.Overflow.Count;
        if (channel.IsWaitedFor)
            Statistics.Listeners--;
        channel.Dispose();
        Publish(channel.Container);
    }

    private void ReadNotes(DeliveryChannel channel)
    {
        for (var i = 0; i < NotesPerTurn; i++)
        {
            var got = HostSocket.Receive(channel.Socket, _noteBuffer);
            if (got == -Errno.EAGAIN)
                return;
            var note = got == Marshal.SizeOf<ShimListenerNote>() ? MemoryMarshal.Read<ShimListenerNote>(_noteBuffer) : default;
            switch (note.Type)
            {
                case ListenerNoteType.Waits:
                    StartDelivering(channel);
                    break;
                case ListenerNoteType.Backlog:
                    channel.Backlog = BacklogOf(note.Value);
                    break;
                case ListenerNoteType.Closes:
                    channel.LookUntil = Now + LooksAfterClose;
                    Watch(channel);
                    break;
                default:
                    if (got > 0 && note.Type != ListenerNoteType.Ends)
                        Statistics.Misused++;
                    DetachNow(channel);
                    _events.ListenerEnded(channel);
                    return;
            }
        }
    }

    /// <summary>A backlog as the kernel would bound it.</summary>
    public static int BacklogOf(uint asked) => (int)Math.Min(asked, s_largestBacklog);

    private static readonly uint s_largestBacklog =
        File.Exists("/proc/sys/net/core/somaxconn") && uint.TryParse(File.ReadAllText("/proc/sys/net/core/somaxconn").Trim(), out var most) ? most : 4096;

    /// <summary>Tells the others what of a container's listeners has changed.</summary>
    private void Publish(HandoverContainer container)
    {
        var now = new Dictionary<ListenerKey, ListenerState>();
        foreach (var group in container.Listeners.Where(channel => channel.IsWaitedFor).GroupBy(channel => (channel.Listener.Address, channel.Listener.Port)))
        {
            var state = new ListenerState(group.First().Listener.IsIpv6, _isDraining || group.All(channel => channel.IsBusy));
            foreach (var address in container.Addresses.Where(address => group.Key.Address is null || group.Key.Address == address))
            {
                var key = new ListenerKey(container.Tenant.Key, address, group.Key.Port);
                // A listener at an address comes before one at all.
                if (group.Key.Address is not null || !now.ContainsKey(key))
                    now[key] = state;
            }
        }

        foreach (var key in container.Published.Keys.Where(key => !now.ContainsKey(key)).ToArray())
            Withdraw(key, container);
        foreach (var (key, state) in now)
        {
            if (!container.Published.TryGetValue(key, out var before) || before != state)
                Announce(key, state, container);
        }

        container.Published = now;
    }

    private void Announce(ListenerKey key, ListenerState state, HandoverContainer container)
    {
        _published[key] = container;
        _own.Listeners[key] = state;
        Review(key);
        Broadcast(FrameOf(key, state));
    }

    private void Withdraw(ListenerKey key, HandoverContainer container)
    {
        if (_published.GetValueOrDefault(key) != container)
            return;
        _published.Remove(key);
        _own.Listeners.Remove(key);
        Review(key);
        Broadcast(new HandoverFrame
        {
            Type = HandoverFrameType.ListenerDown,
            Tenant = key.Tenant,
            Destination = key.Address.Network,
            DestinationPort = key.Port,
        });
    }

    private static HandoverFrame FrameOf(ListenerKey key, ListenerState state) => new()
    {
        Type = HandoverFrameType.ListenerUp,
        Flags = (state.IsIpv6 ? HandoverFlags.Ipv6 : 0) | (state.IsBusy ? HandoverFlags.Busy : 0),
        Tenant = key.Tenant,
        Destination = key.Address.Network,
        DestinationPort = key.Port,
    };

    private void AcceptAll(Endpoint endpoint)
    {
        for (var i = 0; i < AcceptsPerTurn; i++)
        {
            var socket = HostSocket.Accept(endpoint.Socket, out var from, out var port);
            if (socket < 0)
                return;
            FaultPoint.Pass(FaultPoint.ConnectionAccepted);
            _accepted++;
            if (!IsRouter(from))
            {
                Statistics.Strangers++;
                HostSocket.Close(socket);
                continue;
            }

            if (from == _host && IsOwn((ushort)port, out var own))
            {
                Deliver(socket, (from, port), endpoint.IsIpv6, own);
                continue;
            }

            if (_arrivals.Arrive((from, port), socket, endpoint.IsIpv6, Now, out var announcement, out var displaced))
                Deliver(socket, (from, port), endpoint.IsIpv6, announcement);
            if (displaced < 0)
                continue;
            Statistics.Unannounced++;
            HostSocket.Close(displaced);
        }
    }

    /// <summary>A connection and its announcement have met.</summary>
    private void Deliver(int socket, (Ipv4 From, int Port) client, bool isIpv6, in Announcement announcement)
    {
        FaultPoint.Pass(FaultPoint.ConnectionMatched);
        if (announcement.RelayedFrom is not null)
        {
            Join(socket, announcement);
            return;
        }

        var ends = announcement.Ends.Reversed;
        var key = new ListenerKey(announcement.Tenant, ends.Local, ends.LocalPort);
        if (!_published.TryGetValue(key, out var container) || Choose(container, key, isIpv6) is not { } channel)
        {
            // It was there a moment ago, or is for the kernel's queue alone by now: what the kernel says of it holds.
            Relay(socket, announcement.Tenant, ends, null);
            return;
        }

        if (!_policy.Allows(announcement.Tenant, ends.Peer, container.Tenant.Key, ends.Local, ends.LocalPort))
        {
            Statistics.Refused++;
            container.NotDelivered++;
            HostSocket.Close(socket);
            return;
        }

        if (_lock.Accepted(socket, isIpv6 ? _own.Ipv6Port : _own.Port, client, ends) < 0)
        {
            CountDelivery(channel, delivered: false);
            HostSocket.Close(socket);
            return;
        }

        FaultPoint.Pass(FaultPoint.ConnectionLocked);
        var (rate, cookie) = (Pacer.FirstRate(container, 0), HostSocket.CookieOf(socket));
        Pace(socket, rate);
        _events.Accepted(new AcceptedFlow(container, ends, cookie));
        Pacer.Add(container, cookie, rate);
        Queue(channel, socket, ends);
    }

    /// <summary>One of the listeners at an address and port, in turn: those with room first.</summary>
    private DeliveryChannel? Choose(HandoverContainer container, ListenerKey key, bool isIpv6)
    {
        DeliveryChannel? chosen = null;
        var start = _turn++;
        var count = container.Listeners.Count;
        for (var i = 0; i < count; i++)
        {
            var channel = container.Listeners[(int)((uint)(start + i) % (uint)count)];
            if (!channel.IsWaitedFor || channel.Listener.Port != key.Port || channel.Listener.IsIpv6 != isIpv6
                || (channel.Listener.Address is { } bound && bound != key.Address))
                continue;
            if (chosen is null || IsBetter(channel, chosen))
                chosen = channel;
        }

        return chosen;
    }

    /// <summary>As in the kernel one at the address comes before one at all, full or not: that may be another program's.</summary>
    private static bool IsBetter(DeliveryChannel channel, DeliveryChannel than)
    {
        var isBound = channel.Listener.Address is not null;
        return isBound == than.Listener.Address is not null ? than.IsBusy && !channel.IsBusy : isBound;
    }

    private void Queue(DeliveryChannel channel, int socket, in VirtualEnds ends)
    {
        if (channel.Overflow.Count == 0 && channel.HasRoom)
        {
            Deliver(channel, socket, ends, Now);
            FaultPoint.Pass(FaultPoint.ConnectionQueued);
        }
        else if (channel.Overflow.Count < MaximumOverflow)
        {
            // New ones go to the kernel's own backlog from now on; these were on their way already.
            _overflowing++;
            channel.Overflow.Enqueue(new WaitingDelivery(socket, ends, Now + OverflowWithin));
        }
        else
        {
            CountDelivery(channel, delivered: false);
            HostSocket.Close(socket);
        }

        if (!channel.IsBusy && (channel.Overflow.Count > 0 || !channel.HasRoom))
            SetBusy(channel, true);
    }

    private void Deliver(DeliveryChannel channel, int socket, in VirtualEnds ends, long now)
    {
        CountDelivery(channel, channel.Deliver(socket, ends, now) == 0);
        Watch(channel);
    }

    private void CountDelivery(DeliveryChannel channel, bool delivered)
    {
        if (delivered)
        {
            Statistics.Delivered++;
            channel.Container.Delivered++;
        }
        else
        {
            Statistics.Reset++;
            channel.Container.NotDelivered++;
        }
    }

    private void SetBusy(DeliveryChannel channel, bool busy)
    {
        channel.IsBusy = busy;
        Publish(channel.Container);
    }

    private void DrainOverflows(long now)
    {
        foreach (var container in _containers)
        {
            for (var i = 0; i < container.Listeners.Count; i++)
            {
                if (container.Listeners[i] is { IsBusy: true } channel)
                    Drain(channel, now);
            }
        }
    }

    private void Drain(DeliveryChannel channel, long now)
    {
        while (channel.Overflow.TryPeek(out var waiting) && (channel.HasRoom || waiting.Deadline <= now))
        {
            channel.Overflow.Dequeue();
            _overflowing--;
            if (channel.HasRoom)
            {
                Deliver(channel, waiting.Socket, waiting.Ends, now);
                continue;
            }

            HostSocket.Close(waiting.Socket);
            CountDelivery(channel, delivered: false);
        }

        if (channel.Overflow.Count == 0 && channel.Queued <= channel.Backlog / 2)
            SetBusy(channel, false);
    }
}
