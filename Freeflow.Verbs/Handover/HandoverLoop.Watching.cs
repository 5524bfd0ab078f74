namespace Freeflow.Verbs.Handover;

// Whether listeners take what is delivered to them. One that does not is deaf: whoever accepts from it does so from the kernel's
// queue, through no library of ours.
public sealed partial class HandoverLoop
{
    private const int WatchMilliseconds = 10;

    /// <summary>So long a delivery may lie unread before it is looked into; longer where some was read not long ago.</summary>
    private const long UnreadWithin = 50;
    private const long UnreadWithinIfRead = 250;
    private const long LatelyRead = 1000;

    /// <summary>After so long it comes to its listener by the overlay, whatever keeps that from reading.</summary>
    private const long UnreadAtMost = 800;

    /// <summary>A process that takes from both queues comes to the other one within this.</summary>
    private const long ReadsSoon = 50;
    private const long ProbeWithin = 3000;
    private const long FirstPause = 10_000;
    private const long LongestPause = 600_000;
    private const long LooksAfterClose = 200;
    private const int LooksPerTick = 64;
    private const int MostLate = 3;

    private readonly List<DeliveryChannel> _watched = [];
    private long _nextWatch;
    private int _lookTurn;

    private void Watch(DeliveryChannel channel)
    {
        if (channel.IsWatched || channel.Container.Network is null)
            return;
        channel.IsWatched = true;
        _watched.Add(channel);
    }

    private void WatchAll(long now)
    {
        _nextWatch = now + WatchMilliseconds;
        for (var i = _watched.Count - 1; i >= 0; i--)
        {
            var channel = _watched[i];
            if (Look(channel, now))
                continue;
            channel.IsWatched = false;
            _watched.RemoveAt(i);
        }
    }

    /// <summary>False when there is nothing to watch for any more.</summary>
    private bool Look(DeliveryChannel channel, long now)
    {
        if (channel.IsRetired || channel.Container.Network is not { } network || !_sources.ContainsKey(channel.Key))
            return false;
        if (now < channel.LookUntil && IsGone(channel, network))
            return false;

        var unreadFor = channel.UnreadFor(now);
        if (channel.Probe is { } probe)
            Judge(channel, network, probe, now);
        else if (unreadFor >= (now - channel.LastRead < LatelyRead ? UnreadWithinIfRead : UnreadWithin))
            Probe(channel, network, now);
        if (channel.IsRetired)
            return false;
        while (channel.UnreadFor(now) >= UnreadAtMost && TakeBack(channel) is var (socket, ends))
            Relay(socket, channel.Container.Tenant.Key, ends, null);
        return channel.UnreadFor(now) >= 0 || channel.Probe is not null || now < channel.LookUntil;
    }

    /// <summary>The oldest delivery goes to the kernel's queue: who takes it from there and leaves the others is deaf.</summary>
    private void Probe(DeliveryChannel channel, IContainerNetwork network, long now)
    {
        if (IsGone(channel, network) || TakeBack(channel) is not var (socket, ends))
            return;
        channel.Probe = new ListenerProbe(ends.Reversed, now);
        Relay(socket, channel.Container.Tenant.Key, ends, channel);
    }

    /// <summary>
    /// A process that took the probe and leaves what lies in the channel is deaf. One that had nothing else to take may have been late for once,
    /// but not time after time.
    /// </summary>
    private void Judge(DeliveryChannel channel, IContainerNetwork network, in ListenerProbe probe, long now)
    {
        if (channel.LastRead > probe.Since || now - probe.Since > ProbeWithin)
            channel.Probe = null;
        else if (probe.AcceptedAt is { } accepted && now - accepted >= ReadsSoon)
            Conclude(channel, accepted, now);
        else if (probe.AcceptedAt is null && probe.Plain is { } plain && network.IsAccepted(plain) != false)
            channel.Probe = probe with { AcceptedAt = now }; // or accepted and over already
    }

    private void Conclude(DeliveryChannel channel, long accepted, long now)
    {
        channel.Probe = null;
        if (channel.UnreadFor(now) >= now - accepted || ++channel.Late >= MostLate)
            Deafen(channel, now);
    }

    /// <summary>Its connections are plain from now on, for a while: longer each time.</summary>
    private void Deafen(DeliveryChannel channel, long now)
    {
        channel.Late = 0;
        channel.Pause = Math.Clamp(channel.Pause * 2, FirstPause, LongestPause);
        channel.DeafUntil = now + channel.Pause;
        Statistics.Deaf++;
        _events.Noticed(
            $"container {channel.Container}: the listener at {channel.Listener} is served from the kernel's queue alone: its connections are plain for {channel.Pause / 1000} s");
        StopDelivering(channel);
        while (TakeBack(channel) is var (socket, ends))
            Relay(socket, channel.Container.Tenant.Key, ends, null);
        while (channel.Overflow.TryDequeue(out var waiting))
        {
            _overflowing--;
            Relay(waiting.Socket, channel.Container.Tenant.Key, waiting.Ends, null);
        }
    }

    /// <summary>
    /// Its socket is gone, or listens no more. What is queued may have come after that, and be another's that listens there by now: else the
    /// kernel refuses it.
    /// </summary>
    private void Retire(DeliveryChannel channel)
    {
        if (channel.IsRetired)
            return;
        StopDelivering(channel);
        var (container, isIpv6) = (channel.Container, channel.Listener.IsIpv6);
        while (TakeBack(channel) is var (socket, ends))
        {
            if (Choose(container, new ListenerKey(container.Tenant.Key, ends.Local, ends.LocalPort), isIpv6) is { } other)
                Queue(other, socket, ends);
            else
                Relay(socket, container.Tenant.Key, ends, null);
        }

        channel.Retire();
        _events.ListenerGone(channel);
    }

    /// <summary>Asks the kernel for its socket, and retires it when there is none.</summary>
    private bool IsGone(DeliveryChannel channel, IContainerNetwork network)
    {
        if (network.IsListening(channel.Listener))
            return false;
        Retire(channel);
        return true;
    }

    /// <summary>Of those at the same port one may be gone, and not noticed yet.</summary>
    private void LookAtOthers(DeliveryChannel than)
    {
        if (than.Container.Network is not { } network)
            return;
        foreach (var channel in than.Container.Listeners.ToArray())
        {
            if (channel != than && !channel.IsRetired && channel.Listener.Port == than.Listener.Port)
                _ = IsGone(channel, network);
        }
    }

    private void StopDelivering(DeliveryChannel channel)
    {
        if (!channel.IsWaitedFor)
            return;
        channel.IsWaitedFor = false;
        Statistics.Listeners--;
        Publish(channel.Container);
    }

    private (int Socket, VirtualEnds Ends)? TakeBack(DeliveryChannel channel)
    {
        if (channel.TakeBack() is not var (socket, ends))
            return null;
        Statistics.TakenBack++;
        return (socket, ends);
    }

    /// <summary>Listeners that nobody has said are closed, and those whose time of being plain is over; some each time.</summary>
    private void LookAtListeners(long now)
    {
        var looks = LooksPerTick;
        for (var i = 0; i < _containers.Count && looks > 0; i++)
            looks -= LookAtListeners(_containers[(int)((uint)_lookTurn++ % (uint)_containers.Count)], now);
    }

    /// <summary>How many it has looked at.</summary>
    private int LookAtListeners(HandoverContainer container, long now)
    {
        if (container.Network is not { } network)
            return 0;
        var looked = 0;
        foreach (var channel in container.Listeners.ToArray())
        {
            if (channel.DeafUntil != 0 && now >= channel.DeafUntil)
            {
                channel.DeafUntil = 0;
                StartDelivering(channel);
            }

            if (channel.IsRetired)
                continue;
            looked++;
            _ = IsGone(channel, network);
        }

        return looked;
    }

    private void StartDelivering(DeliveryChannel channel)
    {
        if (channel.IsWaitedFor || channel.IsRetired || channel.DeafUntil != 0)
            return;
        channel.IsWaitedFor = true;
        Statistics.Listeners++;
        Publish(channel.Container);
        LookAtOthers(channel);
    }
}

/// <summary>A delivery that was taken back and went to the kernel's queue.</summary>
/// <param name="Client">The connection as its client sees it.</param>
/// <param name="Since">In the loop's milliseconds.</param>
/// <param name="Plain">The plain connection as its server sees it, once there is one.</param>
/// <param name="AcceptedAt">When the server was seen to have accepted it.</param>
internal readonly record struct ListenerProbe(VirtualEnds Client, long Since, VirtualEnds? Plain = null, long? AcceptedAt = null);
