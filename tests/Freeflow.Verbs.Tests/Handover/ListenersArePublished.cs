using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

public sealed class ListenersArePublished : PairTest
{
    private const int Port = 80;

    [Fact]
    public void WithTheFirstWaitForConnections()
    {
        using var server = new HandoverServer(Pair.ServerSite, Pair.Server, Port);
        using var other = Pair.Listen(Port + 1);
        var known = Pair.Route(Port + 1);
        var route = Application.Resolve(HandoverPair.ServerAddress, Port);
        Assert.Equal(PlainReason.NoListener, Application.Word(route).Reason);
        Assert.Equal(1, AtServer.Listeners);
        server.Wait();
        Application.Await(route, PlainReason.None);
        Assert.Equal(2, AtServer.Listeners);
    }

    [Fact]
    public void UntilTheirLastHolderClosesThem()
    {
        var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        var before = Application.Word(route);
        server.Dispose();
        var after = Application.Await(route, PlainReason.NoListener);
        Assert.NotEqual(before.Generation, after.Generation);
        WaitFor.That("the news", () => server.HasEnded);
        Assert.Equal(0, AtServer.Listeners);
    }

    [Fact]
    public void UntilTheyAreShutDown()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        server.Tell(ListenerNoteType.Ends);
        Application.Await(route, PlainReason.NoListener);
        Assert.Equal(0, AtServer.Misused);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(5u)]
    public void UntilTheySayWhatMakesNoSense(uint type)
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        server.Tell((ListenerNoteType)type);
        Application.Await(route, PlainReason.NoListener);
        Assert.Equal(1, AtServer.Misused);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(300)]
    public void UntilTheySayWhatHasAnotherSize(int bytes)
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        server.Tell(new byte[bytes]);
        Application.Await(route, PlainReason.NoListener);
        Assert.Equal(1, AtServer.Misused);
    }

    [Fact]
    public async Task ToRoutersThatCameLater()
    {
        using var server = Pair.Listen(Port);
        Pair.Route(Port);
        using var later = new HandoverSite();
        var container = later.AddContainer("10.244.3.11");
        using var application = new HandoverApplication(later, container);
        var numbers = await HandoverSite.LinkAsync(later, Pair.ServerSite);
        later.Learn(HandoverPair.ServerAddress, numbers.OfOther);
        var route = application.Resolve(HandoverPair.ServerAddress, Port, "10.244.3.11");
        application.Await(route, PlainReason.None);
    }

    [Fact]
    public void AtTheAddressesThatTheContainerHas()
    {
        const string second = "10.244.2.12";
        Pair.ClientSite.Learn(second, Pair.ServerNumber);
        using var server = Pair.Listen(Port);
        Pair.Route(Port);
        var route = Application.Resolve(second, Port);
        Assert.Equal(PlainReason.NoListener, Application.Word(route).Reason);
        Pair.ServerSite.SetAddresses(Pair.Server, HandoverPair.ServerAddress, second);
        Application.Await(route, PlainReason.None);
        Pair.ServerSite.SetAddresses(Pair.Server, HandoverPair.ServerAddress);
        Application.Await(route, PlainReason.NoListener);
    }

    [Fact]
    public void AtTheOneAddressThatTheyAreBoundTo()
    {
        const string second = "10.244.2.12";
        Pair.ClientSite.Learn(second, Pair.ServerNumber);
        Pair.ServerSite.SetAddresses(Pair.Server, HandoverPair.ServerAddress, second);
        using var server = Pair.Listen(Port, second);
        Application.Await(Application.Resolve(second, Port), PlainReason.None);
        Assert.Equal(PlainReason.NoListener, Application.Word(Application.Resolve(HandoverPair.ServerAddress, Port)).Reason);
    }

    [Fact]
    public void AndWithdrawnWhenTheirContainerIsGone()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        Pair.ServerSite.Loop.Remove(Pair.Server);
        Application.Await(route, PlainReason.NoListener);
    }

    [Fact]
    public void AListenerAtAnAddressComesBeforeOneAtAll()
    {
        const string second = "10.244.2.12";
        Pair.ClientSite.Learn(second, Pair.ServerNumber);
        Pair.ServerSite.SetAddresses(Pair.Server, HandoverPair.ServerAddress, second);
        using var all = Pair.Listen(Port);
        using var one = Pair.Listen(Port, HandoverPair.ServerAddress);
        using var late = Pair.Listen(Port + 1);
        Pair.Route(Port + 1);
        Reaches(one, Pair.Route(Port), connections: 4);
        var route = Application.Resolve(second, Port);
        Application.Await(route, PlainReason.None);
        Reaches(all, route, connections: 4);
        Assert.Null(one.TryAccept());
    }

    [Fact]
    public void OneOfAnotherFamilyComesBeforeToo()
    {
        using var all = Pair.Listen(Port, isIpv6: true);
        using var one = Pair.Listen(Port, HandoverPair.ServerAddress);
        using var late = Pair.Listen(Port + 1);
        Pair.Route(Port + 1);
        Reaches(one, Pair.Route(Port), connections: 2);
        one.Dispose();
        var route = Application.Resolve(HandoverPair.ServerAddress, Port);
        WaitFor.That("its end", () => one.HasEnded);
        using var sign = Pair.Listen(Port + 2);
        Pair.Route(Port + 2);
        Reaches(all, route, connections: 2);
    }

    [Fact]
    public void ThoseThatShareAPortShareItsConnections()
    {
        const int connections = 12;
        using var one = Pair.Listen(Port);
        using var two = Pair.Listen(Port);
        using var three = Pair.Listen(Port);
        WaitFor.That("three listeners", () => AtServer.Listeners == 3);
        var route = Pair.Route(Port);
        var clients = Enumerable.Range(0, connections).Select(_ => Application.Connect(route)).ToArray();
        Becomes(connections, () => AtServer.Delivered, "deliveries");
        foreach (var server in (HandoverServer[])[one, two, three])
        {
            for (var i = 0; i < connections / 3; i++)
                server.Accept().Dispose();
            Assert.Null(server.TryAccept());
        }

        Array.ForEach(clients, client => client.Dispose());
    }

    [Fact]
    public void OfThoseThatShareAPortTheLastOneWithdrawsIt()
    {
        var one = Pair.Listen(Port);
        using var two = Pair.Listen(Port);
        WaitFor.That("two listeners", () => AtServer.Listeners == 2);
        var route = Pair.Route(Port);
        var before = Application.Word(route);
        one.Dispose();
        WaitFor.That("its end", () => one.HasEnded);
        Reaches(two, route, connections: 2);
        Assert.Equal(before, Application.Word(route));
        two.Dispose();
        Application.Await(route, PlainReason.NoListener);
    }

    private void Reaches(HandoverServer server, uint route, int connections)
    {
        for (var i = 0; i < connections; i++)
        {
            using var client = Application.Connect(route);
            using var accepted = server.Accept();
            Assert.Equal(client.Ends.Reversed, accepted.Ends);
        }
    }
}
