using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

public sealed class RoutesAreManyAndReplaced : PairTest
{
    private const int Port = 80;

    [Fact]
    public void AsManyAsTheMemoryHasRoomFor()
    {
        for (var i = 0; i < HandoverProcess.MaximumRoutes; i++)
            Assert.Equal((uint)i, Application.Resolve(HandoverPair.ServerAddress, 1000 + i));
        Assert.Null(Application.TryResolve(HandoverPair.ServerAddress, 1));
        Assert.Equal(PlainReason.NoListener, Application.Word(HandoverProcess.MaximumRoutes - 1).Reason);
        Assert.Equal(7u, Application.Resolve(HandoverPair.ServerAddress, 1, replace: 7));
        using var server = Pair.Listen(1);
        Application.Await(7, PlainReason.None);
        using var client = Application.Connect(7);
        using var accepted = server.Accept();
    }

    [Fact]
    public void WhatIsReplacedIsNotFollowedAnyMore()
    {
        var route = Application.Resolve(HandoverPair.ServerAddress, Port);
        Application.Resolve(HandoverPair.ServerAddress, Port + 1, replace: route);
        var before = Application.Word(route);
        using var server = Pair.Listen(Port);
        using var other = Pair.Listen(Port + 2);
        Pair.Route(Port + 2);
        Assert.Equal(before, Application.Word(route));
    }

    /// <summary>Sockets for the destination of before may lie unread still: their generation must not be the new one's.</summary>
    [Fact]
    public void SocketsOfTheRouteOfBeforeAreNotTakenForTheNewOnes()
    {
        using var server = Pair.Listen(Port);
        using var other = Pair.Listen(Port + 1);
        Pair.Route(Port + 1);
        var route = Pair.Route(Port);
        using var before = Application.Want(route);
        Application.Resolve(HandoverPair.ServerAddress, Port + 1, replace: route);
        var now = Application.Await(route, PlainReason.None);
        Assert.NotEqual(before.Message.Generation, now.Generation);
        using var after = Application.Want(route);
        Assert.Equal(now.Generation, after.Message.Generation);
        Assert.Equal(Port + 1, after.Only.Ends.PeerPort);
    }

    [Fact]
    public void ASocketOfTheRouteOfBeforeIsAnnouncedForWhatItIs()
    {
        using var server = Pair.Listen(Port);
        using var other = Pair.Listen(Port + 1);
        Pair.Route(Port + 1);
        var route = Pair.Route(Port);
        using var client = Application.Want(route).Only;
        Application.Resolve(HandoverPair.ServerAddress, Port + 1, replace: route);
        Application.Announce(route, client.Number);
        client.Connect();
        using var accepted = server.Accept();
        Assert.Equal(client.Ends.Reversed, accepted.Ends);
    }

    [Fact]
    public void SocketsCarryTheGenerationOfTheirRoute()
    {
        var route = Application.Resolve(HandoverPair.ServerAddress, Port);
        for (var i = 0; i < 3; i++)
        {
            var server = Pair.Listen(Port);
            var word = Application.Await(route, PlainReason.None);
            using var lot = Application.Want(route);
            Assert.Equal((word.Generation, route), (lot.Message.Generation, lot.Message.Route));
            server.Dispose();
            Assert.NotEqual(word.Generation, Application.Await(route, PlainReason.NoListener).Generation);
        }
    }

    [Fact]
    public void AGenerationIsNeverNothing()
    {
        var route = new Route(Application.Process, 0, new Destination(default, Port), default);
        for (var i = 0; i < 3 << 16; i++)
        {
            Assert.True(route.Become(PlainReason.None, null, (i & 1) == 0));
            Assert.NotEqual(0, route.Generation);
        }
    }
}
