using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Akka.Actor;
using Freeflow.Actors.Events;
using Freeflow.Actors.Flows;
using Freeflow.Actors.Policy;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Handover.Pacing;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.Tests.Flows;

/// <summary>Real sockets of this process stand for those that were handed over.</summary>
[Trait("Tier", "Loop")]
public sealed class FlowsAreFollowed : ActorTest
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(50);

    private readonly HandoverContainer _container = new("1", Tenant.Default);
    private readonly HandoverStatistics _statistics = new();
    private readonly FlowQueue<AnnouncedFlow> _begun = new();
    private readonly FlowQueue<AcceptedFlow> _accepted = new();
    private readonly PolicyInForce _policy = new(AccessPolicy.Open);
    private readonly ConnectionPacer _pacer = new(isWanted: false, _ => { });
    private readonly Socket _peer = Listening();
    private readonly IActorRef _flows;

    public FlowsAreFollowed()
        : base("akka.loglevel = WARNING") => _flows = Sys.ActorOf(FlowsActor.Props(_begun, _accepted, _policy, _pacer, _statistics, s_lookEvery));

    protected override void AfterAll()
    {
        _peer.Dispose();
        _pacer.Dispose();
        base.AfterAll();
    }

    [Fact]
    public void FromTheirBeginToTheEndOfTheirSocket()
    {
        using var one = Connected();
        using var other = Connected();
        Begin(one);
        Begin(other);
        AwaitCondition(() => Followed == 2, s_bound, s_lookEvery);
        one.Close();
        AwaitCondition(() => Followed == 1, s_bound, s_lookEvery);
        other.Close();
        AwaitCondition(() => Followed == 0, s_bound, s_lookEvery);
        Assert.Equal(0, _statistics.Strayed);
    }

    [Fact]
    public void ButNotThoseThatHaveEndedWithinAMoment()
    {
        var brief = Connected();
        var flow = FlowOf(brief);
        brief.Close();
        _begun.Add(flow);
        using var lasting = Connected();
        Begin(lasting);
        AwaitCondition(() => Followed == 1 && _begun.IsEmpty, s_bound, s_lookEvery);
    }

    [Fact]
    public void WhatIsConnectedElsewhereIsCountedOnce()
    {
        using var elsewhere = Listening();
        using var socket = Connected(elsewhere);
        Begin(socket);
        AwaitCondition(() => _statistics.Strayed == 1, s_bound, s_lookEvery);
        // Each of these is followed by a look that has seen the stray again.
        using var next = Connected();
        Begin(next);
        AwaitCondition(() => Followed == 2, s_bound, s_lookEvery);
        using var last = Connected();
        Begin(last);
        AwaitCondition(() => Followed == 3, s_bound, s_lookEvery);
        Assert.Equal(1, _statistics.Strayed);
        socket.Close();
        AwaitCondition(() => Followed == 2, s_bound, s_lookEvery);
    }

    [Fact]
    public void WhatListensIsCountedToo()
    {
        using var socket = Listening();
        Sys.EventStream.Subscribe(TestActor, typeof(RouterEvent));
        Begin(socket);
        var happened = ExpectMsg<RouterEvent>(s_bound);
        Assert.Equal(EventKind.FlowStrayed, happened.Kind);
        Assert.Contains("listening on 127.0.0.1", happened.Text);
        Assert.Equal(1, _statistics.Strayed);
    }

    [Fact]
    public void APortThatSomebodyElseHasNowIsNoStray()
    {
        var socket = Connected();
        var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        Begin(socket);
        AwaitCondition(() => Followed == 1, s_bound, s_lookEvery);
        socket.Close();
        using var elsewhere = Listening();
        using var other = Connected(elsewhere, port);
        AwaitCondition(() => Followed == 0, s_bound, s_lookEvery);
        Assert.Equal(0, _statistics.Strayed);
    }

    [Fact]
    public void WhatThePolicyAllowsNoMoreIsResetAtEitherEnd()
    {
        using var begun = Connected();
        using var end = _peer.Accept();
        using var other = Connected();
        using var came = _peer.Accept();
        var (client, server) = (Address("10.1.0.1"), Address("10.2.0.1"));
        _begun.Add(FlowOf(begun) with { Ends = new VirtualEnds(client, 1000, server, 80) });
        _accepted.Add(new AcceptedFlow(_container, new VirtualEnds(server, 80, client, 1001), FlowOf(came).Cookie));
        using var kept = Connected();
        _begun.Add(FlowOf(kept) with { Ends = new VirtualEnds(client, 1002, server, 81) });
        AwaitCondition(() => Followed == 2, s_bound, s_lookEvery);
        _policy.Put(new AccessPolicy(
            [new PolicyTenant("one", [AddressRange.Of(IPAddress.Parse("10.1.0.0"), 16)], true, PolicyLimits.None, PolicyLimits.None)],
            [new PolicyRule("1", [PolicySubject.Anybody], [PolicySubject.Anybody], [new PortSpan(81, 81)], PolicyMode.Tcp)],
            [],
            PolicyLimits.None));
        _flows.Tell(FlowEvents.PolicyChanged.Instance);
        AwaitCondition(() => Followed == 1 && _statistics.PolicyEnded == 2, s_bound, s_lookEvery);
        foreach (var ended in new[] { begun, end, other, came })
            Assert.Contains(Assert.Throws<SocketException>(() => ended.Receive(new byte[1])).SocketErrorCode, new[] { SocketError.ConnectionReset, SocketError.ConnectionAborted });
        Assert.True(kept.Poll(0, SelectMode.SelectWrite));
    }

    private static Ipv4 Address(string text) => Ipv4.From(IPAddress.Parse(text))!.Value;

    private int Followed => ((ActorRefWithCell)_flows).Children.Count();

    private void Begin(Socket socket) => _begun.Add(FlowOf(socket));

    /// <summary>As if it had been given to talk to the peer.</summary>
    private AnnouncedFlow FlowOf(Socket socket)
    {
        var peer = (IPEndPoint)_peer.LocalEndPoint!;
        Span<byte> cookie = stackalloc byte[8];
        socket.GetRawSocketOption(1, 57, cookie);
        return new AnnouncedFlow(
            _container, default, ((IPEndPoint)socket.LocalEndPoint!).Port, Ipv4.From(peer.Address)!.Value, peer.Port, MemoryMarshal.Read<ulong>(cookie));
    }

    private Socket Connected(Socket? to = null, int from = 0)
    {
        // Closed at once, without TIME_WAIT.
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, from));
        socket.Connect((to ?? _peer).LocalEndPoint!);
        return socket;
    }

    private static Socket Listening()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }
}
