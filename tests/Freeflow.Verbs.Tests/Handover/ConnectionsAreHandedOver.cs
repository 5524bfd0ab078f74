using Freeflow.Lab;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

public class ConnectionsAreHandedOver : PairTest
{
    private const int Port = 80;

    [Fact]
    public void WithTheVirtualAddressesOfBothEnds()
    {
        using var server = Pair.Listen(Port);
        using var client = Application.Connect(Pair.Route(Port));
        using var accepted = server.Accept();
        Assert.Equal((Of(HandoverPair.ClientAddress), Of(HandoverPair.ServerAddress), Port), (client.Ends.Local, client.Ends.Peer, client.Ends.PeerPort));
        Assert.NotEqual(0, client.Ends.LocalPort);
        Assert.Equal(client.Ends.Reversed, accepted.Ends);
        Assert.Equal(accepted.Ends, accepted.Socket.Ends);
    }

    [Fact]
    public void AndCarryBytesBothWays()
    {
        using var server = Pair.Listen(Port);
        using var client = Application.Connect(Pair.Route(Port));
        using var accepted = server.Accept();
        client.Send("question");
        Assert.Equal("question", accepted.Socket.Receive());
        accepted.Socket.Send("answer");
        Assert.Equal("answer", client.Receive());
    }

    [Fact]
    public void WhenTheAnnouncementComesAfterTheConnection()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        using var client = Application.Want(route).Only;
        client.Connect();
        client.Send("early");
        WaitFor.That("the connection at the endpoint", () => AtServer.Waiting == 1);
        Assert.Null(server.TryAccept());
        Application.Announce(route, client.Number);
        using var accepted = server.Accept();
        Assert.Equal(client.Ends.Reversed, accepted.Ends);
        Assert.Equal("early", accepted.Socket.Receive());
    }

    [Fact]
    public void WhenTheAnnouncementComesBeforeTheConnection()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        using var client = Application.Want(route).Only;
        Application.Announce(route, client.Number);
        WaitFor.That("the announcement", () => AtClient.Announced == 1);
        // The client's router reports this listener behind the announcement, on the same link.
        using var behind = new HandoverServer(Pair.ClientSite, Pair.Client, Port).Wait();
        using var observer = new HandoverApplication(Pair.ServerSite, Pair.Server);
        observer.Await(observer.Resolve(HandoverPair.ClientAddress, Port, HandoverPair.ServerAddress), PlainReason.None);
        client.Connect();
        using var accepted = server.Accept();
        Assert.Equal(client.Ends.Reversed, accepted.Ends);
        Becomes(0, () => AtServer.Unannounced, "unannounced");
    }

    [Theory]
    [InlineData(NoteFlags.None)]
    [InlineData(NoteFlags.Ipv6)]
    public void ToAnIpv6Listener(NoteFlags family)
    {
        using var server = Pair.Listen(Port, isIpv6: true);
        using var client = Application.Connect(Pair.Route(Port), family);
        Assert.Equal(HandoverSite.Ipv6Port, client.Endpoint!.Port);
        using var accepted = server.Accept();
        Assert.Equal(System.Net.Sockets.AddressFamily.InterNetworkV6, accepted.Socket.Socket.AddressFamily);
        Assert.Equal(client.Ends.Reversed, accepted.Socket.Ends);
        client.Send("hello");
        Assert.Equal("hello", accepted.Socket.Receive());
    }

    [Fact]
    public void FromAnIpv6Socket()
    {
        using var server = Pair.Listen(Port);
        using var client = Application.Connect(Pair.Route(Port), NoteFlags.Ipv6);
        Assert.Equal(System.Net.Sockets.AddressFamily.InterNetworkV6, client.Socket.AddressFamily);
        using var accepted = server.Accept();
        Assert.Equal(System.Net.Sockets.AddressFamily.InterNetwork, accepted.Socket.Socket.AddressFamily);
        Assert.Equal(client.Ends.Reversed, accepted.Socket.Ends);
    }

    [Fact]
    public void FromTheAddressAndPortThatTheApplicationHasChosen()
    {
        Pair.ClientSite.SetAddresses(Pair.Client, HandoverPair.ClientAddress, "10.244.1.99");
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        using var client = Application.Want(route, NoteFlags.Bound, "10.244.1.99", 1234).Only;
        Application.Announce(route, client.Number);
        client.Connect();
        using var accepted = server.Accept();
        Assert.Equal(new VirtualEnds(Of(HandoverPair.ServerAddress), Port, Of("10.244.1.99"), 1234), accepted.Ends);
    }

    [Fact]
    public void WithinAHost()
    {
        var neighbour = Pair.ClientSite.AddContainer("10.244.1.12");
        using var server = new HandoverServer(Pair.ClientSite, neighbour, Port).Wait();
        var route = Application.Resolve("10.244.1.12", Port);
        Application.Await(route, PlainReason.None);
        using var client = Application.Connect(route);
        using var accepted = server.Accept();
        Assert.Equal(client.Ends.Reversed, accepted.Ends);
        client.Send("near");
        Assert.Equal("near", accepted.Socket.Receive());
    }

    [Fact]
    public void WithinTheirTenantWhereTwoHaveTheSameAddress()
    {
        var blue = new Tenant("blue");
        var blueServer = Pair.ServerSite.AddContainer(blue, HandoverPair.ServerAddress);
        var blueClient = Pair.ClientSite.AddContainer(blue, HandoverPair.ClientAddress);
        Pair.ClientSite.Learn(HandoverPair.ServerAddress, Pair.ServerNumber, blue);
        Pair.ServerSite.Learn(HandoverPair.ClientAddress, Pair.ClientNumber, blue);
        using var server = Pair.Listen(Port);
        using var ofBlue = new HandoverServer(Pair.ServerSite, blueServer, Port).Wait();
        using var application = new HandoverApplication(Pair.ClientSite, blueClient);
        var route = application.Resolve(HandoverPair.ServerAddress, Port);
        application.Await(route, PlainReason.None);
        using var client = application.Connect(route);
        using var accepted = ofBlue.Accept();
        Assert.Null(server.TryAccept());
    }

    [Fact]
    public void ManyInARowWithoutAskingForEach()
    {
        const int connections = 100;
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        var (asked, stock) = (0, new Queue<HandedSocket>());
        for (var i = 0; i < connections; i++)
        {
            if (stock.Count == 0 && Application.TryReceive() is { } more)
                more.Sockets.ToList().ForEach(stock.Enqueue);
            if (stock.Count == 0 && ++asked > 0)
                Application.Want(route).Sockets.ToList().ForEach(stock.Enqueue);
            using var client = stock.Dequeue();
            Application.AnnounceAndWait(route, client.Number);
            client.Connect();
            using var accepted = server.Accept();
            Assert.Equal(client.Ends.Reversed, accepted.Ends);
        }

        Assert.InRange(asked, 1, connections / 2);
        Assert.Equal(connections, AtServer.Delivered);
        Assert.Equal((connections, 0), (AtClient.Announced, AtClient.Misused));
    }

    [Fact]
    public void AndAreReportedToThoseWhoWatch()
    {
        using var server = Pair.Listen(Port);
        using var client = Application.Connect(Pair.Route(Port));
        using var accepted = server.Accept();
        var flow = Assert.Single(Pair.ClientSite.Flows);
        Assert.Equal((client.Ends, Pair.ServerSite.Address, HandoverSite.Port), (flow.Ends, flow.PeerAddress, flow.PeerPort));
        Assert.Equal(client.Ends.LocalPort, flow.HostPort);
        Assert.Equal(HostSocket.CookieOf((int)client.Socket.Handle), flow.Cookie);
    }

    /// <summary>Its socket connects to where it was made to connect to.</summary>
    [Fact]
    public void AlsoWhenTheOtherRouterIsLostInBetween()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        using var client = Application.Take(route);
        Pair.ClientSite.Loop.RemovePeer(Pair.ServerNumber);
        Application.Await(route, PlainReason.Unreachable);
        Application.AnnounceAndWait(route, client.Number);
        Assert.Equal(HandoverSite.Port, Assert.Single(Pair.ClientSite.Flows).PeerPort);
    }

    private static Ipv4 Of(string address) => Addresses.Of(address);
}
