using System.Net.Sockets;
using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

[Trait("Tier", "Loop")]
public sealed class ConnectionsThatNobodyAnnounces : IDisposable
{
    private const int Port = 80;
    private const string Server = "10.244.2.11";
    private const string Client = "10.244.1.11";

    private readonly HandoverSite _site = new(options => options with
    {
        UnannouncedTimeout = TimeSpan.FromMilliseconds(500),
        MaximumUnannounced = 3,
        AnnouncementTimeout = TimeSpan.FromMilliseconds(50),
    });

    public void Dispose() => _site.Dispose();

    [Fact]
    public async Task AreClosedAfterAWhile()
    {
        using var router = await PlayedRouter.StartAsync(_site);
        var (connection, _) = router.Connect();
        connection.Send("may I come in?");
        Assert.Equal(SocketError.ConnectionReset, connection.AwaitEnd());
        Assert.Equal(1, _site.Statistics.Unannounced);
    }

    [Fact]
    public async Task MakeRoomForNewerOnes()
    {
        using var router = await PlayedRouter.StartAsync(_site);
        using var container = new HandoverServer(_site, _site.AddContainer(Server), Port).Wait();
        var connections = Enumerable.Range(0, 4).Select(_ => router.Connect()).ToArray();
        Assert.Equal(SocketError.ConnectionReset, connections[0].Socket.AwaitEnd());
        router.Announce(connections[3].Port, Client, 1234, Server, Port);
        using var accepted = container.Accept();
        Assert.Equal(1234, accepted.Ends.PeerPort);
        foreach (var (connection, _) in connections)
            connection.Dispose();
    }

    [Fact]
    public void AreClosedAtOnceWhenTheyComeFromStrangers()
    {
        Assert.Equal(SocketError.ConnectionReset, EndOf(() => PlayedRouter.ConnectFrom(Addresses.NextHost(), _site)));
        Assert.Equal((1, 0, 0), (_site.Statistics.Strangers, _site.Statistics.Unannounced, _site.Statistics.Waiting));
    }

    [Fact]
    public async Task AreThoseOfAMemberThatHasLeft()
    {
        using var router = await PlayedRouter.StartAsync(_site);
        _site.Loop.RemovePeer(router.Number);
        _site.Await($"link down {router.Number}: the peer was removed");
        Assert.Equal(SocketError.ConnectionReset, EndOf(() => router.Connect()));
        Assert.Equal(1, _site.Statistics.Strangers);
    }

    [Fact]
    public async Task AreThoseOfAnAnnouncementThatHasExpired()
    {
        using var router = await PlayedRouter.StartAsync(_site);
        using var container = new HandoverServer(_site, _site.AddContainer(Server), Port).Wait();
        router.Announce(25000, Client, 1234, Server, Port);
        WaitFor.That("an announcement that expires", () => _site.Statistics.Expired == 1);
        var (connection, _) = router.Connect(25000);
        Assert.Equal(SocketError.ConnectionReset, connection.AwaitEnd());
        Assert.Null(container.TryAccept());
    }

    [Fact]
    public async Task AreThoseOfAMembersAnnouncementsFromBefore()
    {
        using var router = await PlayedRouter.StartAsync(_site);
        router.Hello();
        router.ListenerUp("10.244.3.1", 1);
        router.Announce(25000, Client, 1234, Server, Port);
        router.Say(new HandoverFrame { Type = (HandoverFrameType)99 });
        WaitFor.That("the last frame", () => _site.Statistics.Misused == 1);
        _site.Loop.RemovePeer(router.Number);
        WaitFor.That("the announcement's end", () => _site.Statistics.Expired == 1);
    }

    /// <summary>How a connection ends that is closed at once: connect() may be told already.</summary>
    private static SocketError EndOf(Func<(HandedSocket Socket, int Port)> connect)
    {
        try
        {
            return connect().Socket.AwaitEnd();
        }
        catch (SocketException ended)
        {
            return ended.SocketErrorCode;
        }
    }
}
