using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Tests.Handover;

public sealed class ArrivalsMeetTheirAnnouncements
{
    private static readonly Ipv4 s_host = new(0x0100007f);
    private static readonly HandoverOptions s_options = new()
    {
        HostAddress = s_host,
        UnannouncedTimeout = TimeSpan.FromMilliseconds(1000),
        MaximumUnannounced = 3,
    };

    private readonly Arrivals _arrivals = new(s_options);
    private readonly HandoverPeer _peer = new(1, s_host);

    [Fact]
    public void WhenTheAnnouncementIsFirst()
    {
        Assert.False(_arrivals.Announce((s_host, 40000), Announcement(7), out _));
        Assert.True(_arrivals.Arrive((s_host, 40000), 100, isIpv6: false, now: 0, out var found, out var displaced));
        Assert.Equal((7, -1), (found.Ends.PeerPort, displaced));
    }

    [Fact]
    public void WhenTheConnectionIsFirst()
    {
        Assert.False(_arrivals.Arrive((s_host, 40000), 100, isIpv6: false, now: 0, out _, out _));
        Assert.True(_arrivals.Announce((s_host, 40000), Announcement(7), out var arrival));
        Assert.Equal((100, 0), (arrival.Socket, _arrivals.Waiting));
    }

    [Fact]
    public void AndNobodyElses()
    {
        _arrivals.Announce((s_host, 40001), Announcement(7), out _);
        _arrivals.Announce((new Ipv4(0x0200007f), 40000), Announcement(8), out _);
        Assert.False(_arrivals.Arrive((s_host, 40000), 100, isIpv6: false, now: 0, out _, out _));
    }

    [Fact]
    public void OnceOnly()
    {
        _arrivals.Announce((s_host, 40000), Announcement(7), out _);
        _arrivals.Arrive((s_host, 40000), 100, isIpv6: false, now: 0, out _, out _);
        Assert.False(_arrivals.Arrive((s_host, 40000), 101, isIpv6: false, now: 0, out _, out _));
    }

    [Fact]
    public void TheNewerAnnouncementForAPortHolds()
    {
        _arrivals.Announce((s_host, 40000), Announcement(7), out _);
        _arrivals.Announce((s_host, 40000), Announcement(8), out _);
        _arrivals.Arrive((s_host, 40000), 100, isIpv6: false, now: 0, out var found, out _);
        Assert.Equal(8, found.Ends.PeerPort);
    }

    [Fact]
    public void WhatNobodyAnnouncesComesOutAfterItsTime()
    {
        _arrivals.Arrive((s_host, 40000), 100, isIpv6: false, now: 0, out _, out _);
        _arrivals.Arrive((s_host, 40001), 101, isIpv6: false, now: 500, out _, out _);
        Assert.Null(_arrivals.TakeOldest(999));
        Assert.Equal(100, _arrivals.TakeOldest(1000));
        Assert.Null(_arrivals.TakeOldest(1000));
        Assert.Equal(101, _arrivals.TakeOldest(1500));
    }

    [Fact]
    public void TheOldestMakesRoomWhenTooManyWait()
    {
        for (var i = 0; i < 3; i++)
            _arrivals.Arrive((s_host, 40000 + i), 100 + i, isIpv6: false, now: i, out _, out _);
        _arrivals.Arrive((s_host, 40003), 103, isIpv6: false, now: 3, out _, out var displaced);
        Assert.Equal((100, 3), (displaced, _arrivals.Waiting));
    }

    [Fact]
    public void AnnouncementsWithoutAConnectionExpire()
    {
        _arrivals.Announce((s_host, 40000), Announcement(7), out _);
        Assert.Equal(0, _arrivals.Expire(0));
        Assert.Equal(1, _arrivals.Expire(200_000));
        Assert.False(_arrivals.Arrive((s_host, 40000), 100, isIpv6: false, now: 0, out _, out _));
    }

    [Fact]
    public void APeerThatIsGoneTakesItsAnnouncementsAlong()
    {
        _arrivals.Announce((s_host, 40000), Announcement(7), out _);
        Assert.Equal(0, _arrivals.Forget(new HandoverPeer(2, s_host)));
        Assert.Equal(1, _arrivals.Forget(_peer));
    }

    private Announcement Announcement(ushort peerPort) => new(_peer, 0, new VirtualEnds(s_host, 1, s_host, peerPort), false, 130_000);
}
