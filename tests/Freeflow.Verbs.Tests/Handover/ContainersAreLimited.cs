using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

public sealed class ContainersAreLimited : PairTest
{
    private const int Port = 80;
    private const int SocketLevel = 1;
    private const int MaximumPacingRate = 47;

    [Fact]
    public void InHowManyConnectionsTheyBegin()
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        Pair.Client.Limit(0, 2, null);
        Pair.Client.CountFlows(+1);
        using (var lot = Application.Want(route))
            Assert.Equal(PlainReason.None, lot.Reason);

        // The one that it has a socket for counts.
        Assert.Equal(PlainReason.Limit, Application.Refusal(route));
        Pair.Client.Limit(0, 100, () => 1);
        Assert.Equal(PlainReason.Limit, Application.Refusal(route));
        Pair.Client.Limit(0, null, null);
        using var more = Application.Want(route);
        Assert.Equal(PlainReason.None, more.Reason);
    }

    [Fact]
    public void InTheRateOfEachConnectionAtBothEnds()
    {
        const int Rate = 1_000_000, Other = 2_000_000;
        Pair.Client.Limit(Rate, null, null);
        Pair.Server.Limit(Other, null, null);
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        var (client, served) = Connect(server, route);
        using (client)
        using (served)
            Assert.Equal((Rate, Other), (PacingOf(client), PacingOf(served)));

        // Those that are in stock by an older rate are not used.
        var before = Application.Word(route).Generation;
        Pair.Client.Limit(Other, null, null);
        Pair.ClientSite.Loop.LookAgain();
        WaitFor.That("another generation of sockets", () => Application.Word(route).Generation != before);
        (client, served) = Connect(server, route);
        using (client)
        using (served)
            WaitFor.That($"{Other} bytes a second", () => PacingOf(client) == Other, () => $"{PacingOf(client)}");
    }

    private (HandedSocket Client, HandedSocket Server) Connect(HandoverServer server, uint route)
    {
        var client = Application.Connect(route);
        return (client, server.Accept().Socket);
    }

    private static int PacingOf(HandedSocket socket)
    {
        Span<byte> rate = stackalloc byte[4];
        socket.Socket.GetRawSocketOption(SocketLevel, MaximumPacingRate, rate);
        return BitConverter.ToInt32(rate);
    }
}
