using System.Net;
using System.Net.Sockets;
using Freeflow.Lab;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Testbed.Handover;
using Microsoft.Extensions.Time.Testing;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>
/// A server that does not look into its queue: its clients are served all the same, by way of the kernel's. The test says when time
/// passes; the plain connections lead to a socket of its own.
/// </summary>
public sealed class DeafListenersAreServed : PairTest
{
    private const int Port = 80;
    private const string Neighbour = "10.244.2.99";

    private static readonly TimeSpan s_unread = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _clock = new();
    private readonly Socket _kernel = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public DeafListenersAreServed()
    {
        _kernel.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _kernel.Listen();
    }

    protected override HandoverOptions AdjustClient(HandoverOptions options) => options with { Time = _clock, SilenceTimeout = TimeSpan.FromHours(1) };

    protected override HandoverOptions AdjustServer(HandoverOptions options) => AdjustClient(options);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ByTheKernelsQueue(bool isHere)
    {
        using var server = Pair.Listen(Port);
        using var client = new Client(this, isHere);
        using var connection = client.Connect();
        connection.Send("hello");
        using var accepted = AcceptProbe(client);
        Assert.Equal("hello", accepted.Receive());
        accepted.Send("welcome");
        Assert.Equal("welcome", connection.Receive());
        Assert.Null(server.TryAccept());
        Pass(() => AtServer.Relays == 1);
        Assert.Equal((1, 1, 0), (AtServer.TakenBack, AtServer.Relayed, AtServer.Reset));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AndAreLeftPlainForAWhile(bool isHere)
    {
        using var server = Pair.Listen(Port);
        using var client = new Client(this, isHere);
        var connections = Enumerable.Range(0, 3).Select(_ => client.Connect()).ToArray();
        Becomes(3, () => AtServer.Delivered, "deliveries");
        using var first = AcceptProbe(client);
        Assert.Equal(0, AtServer.Deaf);
        Tell(server, client, first);
        Pass(() => AtServer.Deaf == 1);
        using var second = AcceptPlain();
        using var third = AcceptPlain();
        client.Application.Await(client.Route, PlainReason.NoListener);
        Assert.Contains(Pair.ServerSite.News, news => news.Contains($"the listener at *:{Port} is served from the kernel's queue alone"));

        _clock.Advance(s_firstPause);
        client.Application.Await(client.Route, PlainReason.None);
        foreach (var connection in connections)
            connection.Dispose();
    }

    [Fact]
    public void AlsoWhereClientsComeOneByOne()
    {
        const int mostLate = 3;
        using var server = Pair.Listen(Port);
        using var client = new Client(this, isHere: false);
        for (var i = 1; i <= mostLate; i++)
        {
            Assert.Equal(0, AtServer.Deaf);
            using var connection = client.Connect();
            Becomes(i, () => AtServer.Delivered, "deliveries");
            Pass(() => AtServer.Relayed == i);
            using var accepted = AcceptPlain();
            Tell(server, client, accepted);
            for (var step = 0; step < 10; step++)
            {
                _clock.Advance(TimeSpan.FromMilliseconds(10));
                AwaitRound();
            }
        }

        Pass(() => AtServer.Deaf == 1);
        client.Application.Await(client.Route, PlainReason.NoListener);
    }

    [Fact]
    public void UnlessTheyWereOnlyBusy()
    {
        using var server = Pair.Listen(Port);
        using var client = new Client(this, isHere: false);
        using var one = client.Connect();
        using var other = client.Connect();
        Becomes(2, () => AtServer.Delivered, "deliveries");
        using var probe = AcceptProbe(client);
        using var read = server.Accept();
        Tell(server, client, probe);
        for (var i = 0; i < 20; i++)
        {
            _clock.Advance(s_unread);
            AwaitRound();
        }

        Assert.Equal((0, 1), (AtServer.Deaf, AtServer.TakenBack));
        Assert.Equal(PlainReason.None, client.Application.Word(client.Route).Reason);
    }

    [Fact]
    public void NobodyWaitsForASecondWhateverTheServerDoes()
    {
        using var server = Pair.Listen(Port);
        using var client = new Client(this, isHere: false);
        var connections = Enumerable.Range(0, 5).Select(_ => client.Connect()).ToArray();
        Becomes(5, () => AtServer.Delivered, "deliveries");
        using var probe = AcceptProbe(client);
        // It accepts nothing at all, as far as anybody can see.
        Pass(() => AtServer.TakenBack == 5);
        for (var i = 1; i < 5; i++)
            AcceptPlain().Dispose();
        Assert.Equal((0, PlainReason.None), (AtServer.Deaf, client.Application.Word(client.Route).Reason));
        foreach (var connection in connections)
            connection.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AreResetWhereTheKernelRefuses(bool isHere)
    {
        using var server = Pair.Listen(Port);
        using var client = new Client(this, isHere, isRefused: true);
        using var connection = client.Connect();
        Becomes(1, () => AtServer.Delivered, "deliveries");
        Pass(() => AtServer.Reset == 1);
        Assert.Equal(SocketError.ConnectionReset, connection.AwaitEnd());
    }

    [Fact]
    public async Task AreResetWhenTheOtherRouterDoesNotAnswer()
    {
        using var silent = await PlayedRouter.StartAsync(Pair.ServerSite);
        Pair.ServerSite.Learn("10.244.3.1", silent.Number);
        using var server = Pair.Listen(Port);
        silent.Hello();
        Becomes(1, () => AtServer.Listeners, "listeners");
        silent.Announce(25000, "10.244.3.1", 1234, HandoverPair.ServerAddress, Port);
        var (connection, _) = silent.Connect(25000);
        Becomes(1, () => AtServer.Delivered, "deliveries");
        Pass(() => AtServer.Reset == 1, TimeSpan.FromSeconds(1));
        Assert.Equal(SocketError.ConnectionReset, connection.AwaitEnd());
    }

    [Fact]
    public async Task AreRefusedAtOnceWhereTheRouterThatAsksCantBeReached()
    {
        using var asks = await PlayedRouter.StartAsync(Pair.ClientSite);
        Pair.ClientSite.Learn("10.244.3.1", asks.Number);
        Pair.ClientSite.NetworkOf(Pair.Client).Destination = _kernel;
        asks.Hello(); // Nobody listens where it says.
        asks.Say(new HandoverFrame
        {
            Type = HandoverFrameType.Relay,
            Tenant = Tenant.Default.Key,
            Source = Addresses.Of(HandoverPair.ClientAddress).Network,
            SourcePort = 1234,
            Destination = Addresses.Of("10.244.3.1").Network,
            DestinationPort = Port,
        });
        Assert.Equal(1234, asks.Await(HandoverFrameType.RelayRefused).SourcePort);
        using var plain = AcceptPlain();
        Assert.Equal(SocketError.ConnectionReset, plain.AwaitEnd());
    }

    [Fact]
    public void EndWithTheirSocketAndWhatIsQueuedIsReset()
    {
        using var server = Pair.Listen(Port);
        using var client = new Client(this, isHere: false, isRefused: true);
        using var connection = client.Connect();
        Becomes(1, () => AtServer.Delivered, "deliveries");
        Pair.ServerSite.NetworkOf(Pair.Server).End(server.Channel.Listener.Cookie);
        Pass(() => AtServer.Reset == 1);
        Assert.Equal(SocketError.ConnectionReset, connection.AwaitEnd());
        client.Application.Await(client.Route, PlainReason.NoListener);
        // The process has the queue's end still.
        Assert.False(server.HasEnded);
        Pair.ServerSite.Await("listener gone");
    }

    [Fact]
    public void EndWithTheirSocketAlsoWhenNobodyHasWaitedForThem()
    {
        var server = new HandoverServer(Pair.ServerSite, Pair.Server, Port);
        server.Dispose();
        Pass(() => server.HasEnded);
    }

    [Fact]
    public void EndWithTheirSocketAndWhatIsQueuedIsTheNextOnes()
    {
        using var first = Pair.Listen(Port);
        using var client = new Client(this, isHere: false);
        Pair.ServerSite.NetworkOf(Pair.Server).End(first.Channel.Listener.Cookie);
        // Before its router has looked.
        using var connection = client.Connect();
        Becomes(1, () => AtServer.Delivered, "deliveries");
        using var next = Pair.Listen(Port);
        connection.Send("hello");
        using var accepted = next.Accept();
        Assert.Equal("hello", accepted.Socket.Receive());
        Assert.Equal(PlainReason.None, client.Application.Word(client.Route).Reason);
    }

    [Fact]
    public void OnesThatAreClosedAreLookedForAtOnce()
    {
        using var server = Pair.Listen(Port);
        using var client = new Client(this, isHere: false);
        server.Tell(ListenerNoteType.Closes);
        // It says so before it does it.
        AwaitRound();
        Pair.ServerSite.NetworkOf(Pair.Server).End(server.Channel.Listener.Cookie);
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        client.Application.Await(client.Route, PlainReason.NoListener);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ConnectionsOnTheirWayToAListenerThatWentPlainAreServedToo(bool isHere)
    {
        using var server = Pair.Listen(Port);
        using var client = new Client(this, isHere);
        var socket = client.Application.Take(client.Route);
        server.Tell(ListenerNoteType.Ends);
        client.Application.Await(client.Route, PlainReason.NoListener);
        client.Application.AnnounceAndWait(client.Route, socket.Number);
        socket.Connect();
        socket.Send("late");
        using var accepted = AcceptPlain();
        Assert.Equal("late", accepted.Receive());
    }

    /// <summary>Lets time pass in small steps until something holds.</summary>
    private void Pass(Func<bool> holds, TimeSpan? step = null) => WaitFor.That("what comes with time", () =>
    {
        if (holds())
            return true;
        _clock.Advance(step ?? TimeSpan.FromMilliseconds(10));
        return false;
    });

    /// <summary>The server's kernel has accepted a plain connection.</summary>
    private void Tell(HandoverServer server, Client client, HandedSocket accepted)
    {
        var port = ((IPEndPoint)accepted.Socket.RemoteEndPoint!).Port;
        var ends = client.Network.Begun.Single(begun => begun.LocalPort == port);
        Pair.ServerSite.NetworkOf(server.Channel.Container).Accept(ends.Reversed);
    }

    /// <summary>The connection that the router brings to the kernel's queue when it has looked on for long enough.</summary>
    private HandedSocket AcceptProbe(Client client)
    {
        Pass(() => !client.Network.Begun.IsEmpty);
        return AcceptPlain();
    }

    private HandedSocket AcceptPlain()
    {
        WaitFor.That("a plain connection", () => _kernel.Poll(0, SelectMode.SelectRead));
        return new HandedSocket(StreamSocket.Take(_kernel.Accept()));
    }

    /// <summary>The server's router has gone round since.</summary>
    private void AwaitRound()
    {
        using var once = new ManualResetEventSlim();
        Pair.ServerSite.Loop.CallBack(once.Set);
        WaitFor.That("a round", () => once.IsSet);
    }

    /// <summary>A client on the other host, or on the server's own.</summary>
    private sealed class Client : IDisposable
    {
        private readonly HandoverApplication? _own;

        public Client(DeafListenersAreServed test, bool isHere, bool isRefused = false)
        {
            var pair = test.Pair;
            var container = isHere ? pair.ServerSite.AddContainer(Neighbour) : pair.Client;
            _own = isHere ? new HandoverApplication(pair.ServerSite, container) : null;
            Application = _own ?? pair.Application;
            Network = (isHere ? pair.ServerSite : pair.ClientSite).NetworkOf(container);
            Network.Destination = isRefused ? null : test._kernel;
            Route = Application.Resolve(HandoverPair.ServerAddress, Port, source: isHere ? Neighbour : HandoverPair.ClientAddress);
            Application.Await(Route, PlainReason.None);
        }

        public HandoverApplication Application { get; }

        public PlayedNetwork Network { get; }

        public uint Route { get; }

        public HandedSocket Connect() => Application.Connect(Route);

        public void Dispose() => _own?.Dispose();
    }
}
