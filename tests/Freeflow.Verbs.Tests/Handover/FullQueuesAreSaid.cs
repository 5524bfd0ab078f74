using System.Net.Sockets;
using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

public sealed class FullQueuesAreSaid : PairTest
{
    private const int Port = 80;
    private const int Backlog = 3;
    private const int Room = Backlog + 1;

    private readonly List<HandedSocket> _clients = [];

    [Fact]
    public void AndNewConnectionsArePlainUntilThereIsRoom()
    {
        using var server = Pair.Listen(Port, backlog: Backlog);
        var route = Pair.Route(Port);
        Connect(route, Room);
        Application.Await(route, PlainReason.Busy);
        Assert.Equal(PlainReason.Busy, Application.Refusal(route));
        for (var i = 0; i < Room; i++)
            server.Accept().Dispose();
        Application.Await(route, PlainReason.None);
        Assert.Equal((Room, 0), (AtServer.Delivered, AtServer.Reset));
    }

    [Fact]
    public void WhatWasOnItsWayIsDeliveredWhenThereIsRoomInOrder()
    {
        const int late = 5;
        using var server = Pair.Listen(Port, backlog: Backlog);
        var route = Pair.Route(Port);
        var onTheirWay = Enumerable.Range(0, late).Select(_ => Application.Take(route)).ToArray();
        Connect(route, Room);
        Application.Await(route, PlainReason.Busy);
        foreach (var client in onTheirWay)
        {
            Application.Announce(route, client.Number);
            client.Connect();
        }

        WaitFor.That("all announcements", () => AtClient.Announced == Room + late);
        var accepted = Enumerable.Range(0, Room + late).Select(_ => server.Accept()).ToArray();
        Assert.Equal(_clients.Concat(onTheirWay).Select(client => client.Ends.Reversed), accepted.Select(connection => connection.Ends));
        Assert.Equal((Room + late, 0), (AtServer.Delivered, AtServer.Reset));
        Application.Await(route, PlainReason.None);
    }

    [Fact]
    public void WhatWaitsIsResetWhenTheListenerEnds()
    {
        var server = Pair.Listen(Port, backlog: Backlog);
        var route = Pair.Route(Port);
        var onItsWay = Application.Take(route);
        Connect(route, Room);
        Application.Await(route, PlainReason.Busy);
        Application.Announce(route, onItsWay.Number);
        onItsWay.Connect();
        onItsWay.Send("anybody there?");
        WaitFor.That("it to wait", () => Pair.ServerSite.Statistics is { Waiting: 0, Delivered: Room } && AtClient.Announced == Room + 1);
        server.Dispose();
        foreach (var client in _clients.Append(onItsWay))
            Assert.Equal(SocketError.ConnectionReset, client.AwaitEnd());
    }

    [Fact]
    public void AGreaterBacklogMakesRoom()
    {
        using var server = Pair.Listen(Port, backlog: Backlog);
        var route = Pair.Route(Port);
        Connect(route, Room);
        Application.Await(route, PlainReason.Busy);
        server.Tell(ListenerNoteType.Backlog, 100);
        Application.Await(route, PlainReason.None);
        Connect(route, 10);
        Becomes(Room + 10, () => AtServer.Delivered, "deliveries");
    }

    [Fact]
    public void OthersWhoShareThePortGoOn()
    {
        using var one = Pair.Listen(Port, backlog: 0);
        using var two = Pair.Listen(Port, backlog: 100);
        WaitFor.That("two listeners", () => AtServer.Listeners == 2);
        var route = Pair.Route(Port);
        Connect(route, 10);
        Becomes(10, () => AtServer.Delivered, "deliveries");
        Assert.Equal(PlainReason.None, Application.Word(route).Reason);
        using var first = one.Accept();
        Assert.Null(one.TryAccept());
        for (var i = 0; i < 9; i++)
            two.Accept().Dispose();
    }

    [Fact]
    public void AListenerAtAllGetsNothingThatWasForOneAtTheAddress()
    {
        using var all = Pair.Listen(Port);
        using var one = Pair.Listen(Port, HandoverPair.ServerAddress, backlog: 0);
        using var alsoAll = Pair.Listen(Port);
        WaitFor.That("three listeners", () => AtServer.Listeners == 3);
        var route = Pair.Route(Port);
        var onTheirWay = Enumerable.Range(0, 6).Select(_ => Application.Take(route)).ToArray();
        Connect(route, 1);
        Application.Await(route, PlainReason.Busy);
        foreach (var client in onTheirWay)
        {
            Application.Announce(route, client.Number);
            client.Connect();
        }

        for (var i = 0; i < 1 + onTheirWay.Length; i++)
            one.Accept().Dispose();
        Assert.Null(all.TryAccept());
        Assert.Null(alsoAll.TryAccept());
        Array.ForEach(onTheirWay, client => client.Dispose());
    }

    private void Connect(uint route, int connections)
    {
        for (var i = 0; i < connections; i++)
            _clients.Add(Application.Connect(route));
    }
}
