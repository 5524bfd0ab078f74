using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>A container that has all the host sockets that it may have.</summary>
public sealed class SocketsRunOut : PairTest
{
    private const int Port = 80;
    private const int Limit = 4;

    private readonly List<HandedSocket> _held = [];

    protected override HandoverOptions AdjustClient(HandoverOptions options) => options with { SocketsPerContainer = Limit };

    [Fact]
    public void ForAllProcessesOfTheContainer()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        Hold(Application, route, Limit);
        Assert.Equal(PlainReason.Limit, Application.Refusal(route));
        using var other = new HandoverApplication(Pair.ClientSite, Pair.Client);
        Assert.Equal(PlainReason.Limit, other.Refusal(other.Resolve(HandoverPair.ServerAddress, Port)));
    }

    [Fact]
    public void UntilOneConnects()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        Hold(Application, route, Limit);
        Application.Announce(route, _held[0].Number);
        Hold(Application, route, 1);
        Assert.Equal(Limit, Pair.Client.SocketsOut);
    }

    [Fact]
    public void NotForAnotherContainer()
    {
        var other = Pair.ClientSite.AddContainer("10.244.1.12");
        using var server = Pair.Listen(Port);
        Hold(Application, Pair.Route(Port), Limit);
        using var application = new HandoverApplication(Pair.ClientSite, other);
        Hold(application, application.Resolve(HandoverPair.ServerAddress, Port, "10.244.1.12"), 1);
    }

    /// <summary>While connections come often more are sent ahead than there may be: what there may be is, and nothing else is said.</summary>
    [Fact]
    public void NotBeforeTheLastOneIsGiven()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        using var other = new HandoverApplication(Pair.ClientSite, Pair.Client);
        Hold(other, other.Resolve(HandoverPair.ServerAddress, Port), Limit - 1);
        for (var i = 0; i < 8; i++)
            _held.Add(Application.Connect(route));

        Assert.InRange(Pair.Client.SocketsOut, Limit - 1, Limit);
    }

    private void Hold(HandoverApplication application, uint route, int count)
    {
        for (var i = 0; i < count; i++)
            _held.Add(application.Take(route));
    }
}
