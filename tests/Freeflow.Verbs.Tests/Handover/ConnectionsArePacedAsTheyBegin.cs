using Freeflow.Verbs.Handover;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>Where the kernel can't set the rate of a connection that runs.</summary>
public sealed class ConnectionsArePacedAsTheyBegin : PairTest
{
    private const int Port = 80;
    private const int SocketLevel = 1;
    private const int MaximumPacingRate = 47;
    private const int Limit = 4_000_000;

    protected override HandoverOptions AdjustClient(HandoverOptions options) => options with { PacesRunning = false };

    [Fact]
    public void AndTheLimitIsOfEach()
    {
        Assert.NotEqual(0, Pair.ClientSite.Loop.Pacer.Refused);
        Pair.Client.Limit(Limit, null, null);
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        var rate = new byte[sizeof(int)];
        for (var i = 0; i < 2; i++)
        {
            using var client = Application.Connect(route);
            using var served = server.Accept().Socket;
            client.Socket.GetRawSocketOption(SocketLevel, MaximumPacingRate, rate);
            Assert.Equal(Limit, BitConverter.ToInt32(rate));
        }
    }
}
