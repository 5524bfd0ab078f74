using System.Net.Sockets;
using Freeflow.Lab;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>What a process says in its notes.</summary>
public sealed class ProcessesAreHeldToTheirWord : PairTest
{
    private const int Port = 80;

    protected override HandoverOptions AdjustServer(HandoverOptions options) => options with { UnannouncedTimeout = TimeSpan.FromMilliseconds(300) };

    [Fact]
    public void ASocketThatWasNotGivenIsNotAnnounced()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        foreach (var forged in (uint[])[0, 1, 1000, uint.MaxValue])
            Application.Announce(route, forged);
        Becomes(4, () => AtClient.Misused, "misuses");
        Assert.Equal((0, false), (AtClient.Announced, Application.HasEnded));
    }

    [Fact]
    public void ASocketIsAnnouncedOnceOnly()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        using var client = Application.Connect(route);
        using var accepted = server.Accept();
        Application.Announce(route, client.Number);
        Becomes(1, () => AtClient.Misused, "misuses");
        Assert.Equal(1, AtClient.Announced);
    }

    [Fact]
    public void ASocketOfAnotherProcessIsNotAnnounced()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        using var other = new HandoverApplication(Pair.ClientSite, Pair.Client);
        other.Resolve(HandoverPair.ServerAddress, Port);
        using var client = Application.Want(route).Only;
        other.Announce(0, client.Number);
        Becomes(1, () => AtClient.Misused, "misuses");
        client.Connect();
        Assert.Equal(SocketError.ConnectionReset, client.AwaitEnd());
        Assert.Equal((0, 1), (AtClient.Announced, AtServer.Unannounced));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(39)]
    [InlineData(41)]
    [InlineData(256)]
    [InlineData(1000)]
    public void ANoteOfAnotherSizeEndsItAndNobodyElse(int bytes)
    {
        using var other = new HandoverApplication(Pair.ClientSite, Pair.Client);
        other.Tell(new byte[bytes]);
        WaitFor.That("its end", () => other.HasEnded);
        Assert.Equal(1, AtClient.Misused);
        Becomes(1, () => AtClient.Processes, "processes");
        CanConnect();
    }

    [Theory]
    [InlineData(0u, 0u)]
    [InlineData(6u, 0u)]
    [InlineData(uint.MaxValue, 0u)]
    [InlineData((uint)NoteType.Want, 1u)]
    [InlineData((uint)NoteType.Connect, 1024u)]
    [InlineData((uint)NoteType.Flow, uint.MaxValue)]
    public void ANoteOfAnUnknownTypeOrRouteEndsItAndNobodyElse(uint type, uint route)
    {
        using var other = new HandoverApplication(Pair.ClientSite, Pair.Client);
        other.Resolve(HandoverPair.ServerAddress, Port);
        other.Tell(new ShimNote { Type = (NoteType)type, Route = route });
        WaitFor.That("its end", () => other.HasEnded);
        Assert.Equal(1, AtClient.Misused);
        CanConnect();
    }

    [Theory]
    [InlineData(0, HandoverApplication.NoRoute)]
    [InlineData(65536, HandoverApplication.NoRoute)]
    [InlineData(80, 0u)]
    [InlineData(80, 1023u)]
    [InlineData(80, 1024u)]
    public void AQuestionThatMakesNoSenseHasNoAnswer(int port, uint replace)
    {
        Assert.Null(Application.TryResolve(HandoverPair.ServerAddress, port, replace: replace));
        Assert.Equal(1, AtClient.Misused);
        CanConnect();
    }

    [Fact]
    public void OneThatEndsTakesItsSocketsOutOfTheCount()
    {
        using var server = Pair.Listen(Port);
        var other = new HandoverApplication(Pair.ClientSite, Pair.Client);
        var route = other.Resolve(HandoverPair.ServerAddress, Port);
        other.Await(route, PlainReason.None);
        using var lot = other.Want(route);
        Assert.Equal(1, Pair.Client.SocketsOut);
        other.Dispose();
        WaitFor.That("its end", () => other.HasEnded);
        Assert.Equal(0, Pair.Client.SocketsOut);
        Assert.Contains("process ended: closed by the process", Pair.ClientSite.News);
        CanConnect();
    }

    [Fact]
    public void OneThatEndsWithSocketsUnreadEndsLikewise()
    {
        using var server = Pair.Listen(Port);
        var other = new HandoverApplication(Pair.ClientSite, Pair.Client);
        var route = other.Resolve(HandoverPair.ServerAddress, Port);
        other.Await(route, PlainReason.None);
        other.Tell(new ShimNote { Type = NoteType.Want, Route = route });
        WaitFor.That("a socket", () => AtClient.SocketsIssued == 1);
        other.Dispose();
        WaitFor.That("its end", () => Pair.ClientSite.News.Contains("process ended: closed by the process"));
    }

    [Fact]
    public void ReasonsOfItsOwnAreCounted()
    {
        foreach (var reason in (uint[])[(uint)PlainReason.Option, (uint)PlainReason.Option, (uint)PlainReason.Shared, 63, 64, uint.MaxValue])
            Application.Tell(new ShimNote { Type = NoteType.Plain, Route = HandoverApplication.NoRoute, Socket = reason });
        CanConnect();
        Assert.Equal((2, 1), (AtClient.Plain[nameof(PlainReason.Option)], AtClient.Plain[nameof(PlainReason.Shared)]));
    }

    [Fact]
    public void ASocketThatHasLainLongIsGoodStill()
    {
        var route = new Route(Application.Process, 0, new Destination(default, Port), default);
        using var process = new HandoverProcess(new HandoverContainer("idle", Tenant.Default));
        var number = process.Give(Given(route, since: 0));
        process.DiscountStale(60_000);
        Assert.Equal(0, process.Container.SocketsOut);
        Assert.True(process.TryTake(number, out _));
        Assert.Equal(0, process.Container.SocketsOut);
    }

    [Fact]
    public void TheLatestSocketsAreKnownHoweverManyWereGiven()
    {
        var route = new Route(Application.Process, 0, new Destination(default, Port), default);
        using var process = new HandoverProcess(new HandoverContainer("busy", Tenant.Default));
        var numbers = Enumerable.Range(0, 20_000).Select(i => process.Give(Given(route, since: i))).ToArray();
        Assert.False(process.TryTake(numbers[0], out _));
        Assert.InRange(process.Container.SocketsOut, 1, 10_000);
        Assert.Equal(2000, numbers[^2000..].Count(number => process.TryTake(number, out _)));
        process.DiscountStale(1_000_000);
        Assert.Equal(0, process.Container.SocketsOut);
    }

    private static GivenSocket Given(Route route, long since) => new(route, new HandoverPeer(1, default), 1, false, 1, default, 0, since, 0);

    private void CanConnect()
    {
        using var server = Pair.Listen(Port + 1);
        using var client = Application.Connect(Pair.Route(Port + 1));
        using var accepted = server.Accept();
        Assert.Equal(client.Ends.Reversed, accepted.Ends);
    }
}
