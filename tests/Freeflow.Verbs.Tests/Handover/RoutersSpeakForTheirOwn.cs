using System.Net.Sockets;
using Freeflow.Lab;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>What another router says on its link.</summary>
[Trait("Tier", "Loop")]
public sealed class RoutersSpeakForTheirOwn : IAsyncLifetime
{
    private const int Port = 80;
    private const string Server = "10.244.2.11";
    private const string Client = "10.244.1.11";

    private readonly HandoverSite _site = new(options => options with { UnannouncedTimeout = TimeSpan.FromMilliseconds(300) });
    private readonly HandoverServer _server;
    private readonly HandoverContainer _container;
    private PlayedRouter _router = null!;

    public RoutersSpeakForTheirOwn()
    {
        _container = _site.AddContainer(Server);
        _server = new HandoverServer(_site, _container, Port).Wait();
    }

    public async Task InitializeAsync() => _router = await PlayedRouter.StartAsync(_site);

    public Task DisposeAsync()
    {
        _router.Dispose();
        _server.Dispose();
        _site.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public void AnAddressThatIsItsOwnMayConnect()
    {
        _site.Learn(Client, _router.Number);
        using var accepted = Exchange(Client);
        Assert.NotNull(accepted);
    }

    [Fact]
    public void AnAddressThatNobodyIsKnownToHaveYetMayConnect()
    {
        using var accepted = Exchange(Client);
        Assert.NotNull(accepted);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnAddressOfAnotherRouterMayNot(bool isOurs)
    {
        _site.Learn(Client, isOurs ? Freeflow.Verbs.Engine.EngineQueuePair.SameRouter : _site.Meet(Addresses.NextHost()));
        Assert.Null(Exchange(Client));
        Assert.Equal(1, _site.Statistics.Misused);
    }

    [Fact]
    public void TheNewerAnnouncementForAPortHolds()
    {
        _router.Announce(25001, Client, 1, Server, Port);
        _router.Announce(25001, Client, 2, Server, Port);
        Assert.True(HasHeardAll());
        using var connection = _router.Connect(25001).Socket;
        using var accepted = _server.Accept();
        Assert.Equal(2, accepted.Ends.PeerPort);
    }

    [Theory]
    [InlineData(Server, 81)]
    [InlineData("10.244.2.12", Port)]
    public void AConnectionToWhereNobodyListensIsReset(string destination, int port)
    {
        var (connection, hostPort) = _router.Connect();
        _router.Announce(hostPort, Client, 1234, destination, port);
        Assert.Equal(SocketError.ConnectionReset, connection.AwaitEnd());
        Assert.Equal(1, _site.Statistics.Reset);
    }

    [Fact]
    public void AConnectionFromAnotherTenantIsReset()
    {
        var (connection, hostPort) = _router.Connect();
        _router.Announce(hostPort, Client, 1234, Server, Port, new Tenant("blue"));
        Assert.Equal(SocketError.ConnectionReset, connection.AwaitEnd());
        Assert.Equal(1, _site.Statistics.Reset);
    }

    [Fact]
    public void AConnectionThatThePolicyRefusesIsResetAndCounted()
    {
        _site.Policy = (from, _, _) => from != Addresses.Of(Client);
        var (connection, hostPort) = _router.Connect();
        _router.Announce(hostPort, Client, 1234, Server, Port);
        Assert.Equal(SocketError.ConnectionReset, connection.AwaitEnd());
        Assert.Equal((1, 0, 0), (_site.Statistics.Refused, _site.Statistics.Delivered, _site.Statistics.Reset));
    }

    [Fact]
    public void AnotherVersionIsToldAndItsListenersAreNotReached()
    {
        _site.Learn("10.244.3.1", _router.Number);
        using var application = new HandoverApplication(_site, _container);
        var route = application.Resolve("10.244.3.1", Port, Server);
        _router.Hello(version: 99);
        _router.ListenerUp("10.244.3.1", Port);
        Assert.True(HasHeardAll());
        Assert.Equal(PlainReason.Unreachable, application.Word(route).Reason);
        Assert.Contains(_site.News, news => news.Contains("version 99"));
    }

    [Fact]
    public void ARouterThatSaysWhereItIsIsReachable()
    {
        _site.Learn("10.244.3.1", _router.Number);
        using var application = new HandoverApplication(_site, _container);
        var route = application.Resolve("10.244.3.1", Port, Server);
        Assert.Equal(PlainReason.Unreachable, application.Word(route).Reason);
        _router.Hello();
        application.Await(route, PlainReason.NoListener);
        _router.ListenerUp("10.244.3.1", Port);
        application.Await(route, PlainReason.None);
    }

    [Fact]
    public void AFrameThatComesInPiecesIsWhole()
    {
        _site.Learn("10.244.3.1", _router.Number);
        using var application = new HandoverApplication(_site, _container);
        var route = application.Resolve("10.244.3.1", Port, Server);
        _router.Hello();
        var bytes = new byte[HandoverFrame.Size];
        System.Runtime.InteropServices.MemoryMarshal.Write(bytes, new HandoverFrame
        {
            Type = HandoverFrameType.ListenerUp,
            Tenant = Tenant.Default.Key,
            Destination = Addresses.Of("10.244.3.1").Network,
            DestinationPort = Port,
        });
        foreach (var part in bytes.Chunk(7))
        {
            _router.Say(part);
            // A pause between the parts, for the loop to read each alone: it does not report its reads.
            Thread.Sleep(5);
        }

        application.Await(route, PlainReason.None);
    }

    [Fact]
    public void AnUnknownFrameIsCountedAndTheRestGoesOn()
    {
        _router.Say(new HandoverFrame { Type = (HandoverFrameType)77 });
        using var accepted = Exchange(Client);
        Assert.NotNull(accepted);
        Assert.Equal(1, _site.Statistics.Misused);
    }

    /// <summary>Connects and announces; null when the connection is closed instead of delivered.</summary>
    private DeliveredConnection? Exchange(string source)
    {
        var (connection, hostPort) = _router.Connect();
        _router.Announce(hostPort, source, 1234, Server, Port);
        DeliveredConnection? accepted = null;
        WaitFor.That("a delivery, or an end", () => (accepted = _server.TryAccept()) is not null || connection.Socket.Poll(0, SelectMode.SelectRead));
        return accepted;
    }

    /// <summary>Frames are taken in order: the count of this last one tells.</summary>
    private bool HasHeardAll()
    {
        var before = _site.Statistics.Misused;
        _router.Say(new HandoverFrame { Type = (HandoverFrameType)77 });
        WaitFor.That("the last frame", () => _site.Statistics.Misused > before);
        return true;
    }
}
