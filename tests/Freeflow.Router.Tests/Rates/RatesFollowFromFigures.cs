using Freeflow.Router.Commands;
using Freeflow.Router.Ping;
using Freeflow.Router.Rates;

namespace Freeflow.Router.Tests.Rates;

public sealed class RatesFollowFromFigures
{
    private static readonly ContainerFigure s_container = new("1", "10.0.0.1", "default", 2, 100, 1000, 2000, 10, 20, 0, 0);
    private static readonly PeerFigure s_peer = new("192.168.50.2:4480", true, 500, 600, 0);
    private static readonly Figures s_before = new(10, "router", 4, 100, [s_container], [s_peer], [new FlowFigure(7, "1", 100, 0)]);

    [Fact]
    public void AsDifferencesASecond()
    {
        var rates = RatesAnswer.Between(s_before, s_before with
        {
            Seconds = 12,
            BusySeconds = 5,
            Containers = [s_container with { SentBytes = 3000, Errors = 4 }],
            Peers = [s_peer with { ReceivedBytes = 1600 }],
            Flows = [new FlowFigure(7, "1", 300, 0), new FlowFigure(8, "1", 50, 10)],
        });
        Assert.Equal(0.5, rates.Busy);
        var container = Assert.Single(rates.Containers);
        Assert.Equal((1000, 0, 2, 125, 5), (container.SentBytes, container.ReceivedBytes, container.Errors, container.TcpSentBytes, container.TcpReceivedBytes));
        Assert.Equal(500, Assert.Single(rates.Peers).ReceivedBytes);
    }

    [Fact]
    public void WhoIsNewCountsFromNothingAndWhoIsGoneNoMore()
    {
        var rates = RatesAnswer.Between(s_before, s_before with { Seconds = 11, Containers = [s_container with { Id = "2", SentBytes = 70 }], Peers = [], Flows = [] });
        Assert.Equal(("2", 70), (Assert.Single(rates.Containers).Id, rates.Containers[0].SentBytes));
        Assert.Empty(rates.Peers);
    }

    [Fact]
    public void ARouterThatWasStartedAnewHasNoNegativeOnes()
    {
        var rates = RatesAnswer.Between(s_before, s_before with { Seconds = 1, BusySeconds = 0, WorkRequests = 0, Containers = [s_container with { SentBytes = 0 }] });
        Assert.Equal((0, 0, 0), (rates.Busy, rates.WorkRequests, rates.Containers[0].SentBytes));
    }

    [Fact]
    public void TheSendersComeFirst()
    {
        var quiet = s_container with { Id = "2", Address = "10.0.0.2" };
        var rates = RatesAnswer.Between(
            s_before with { Containers = [quiet, s_container] }, s_before with { Seconds = 11, Containers = [quiet, s_container with { SentBytes = 5000 }] });
        Assert.Equal(["1", "2"], rates.Containers.Select(container => container.Id));
    }

    [Fact]
    public void RoundTripsAreSummedUp()
    {
        Assert.Equal(
            "4 sent, 3 answered, 25 % lost\nmin/median/mean/max = 1.0/2.0/2.0/3.0 µs",
            PingCommand.Summary([new("r", 1, 3, null), new("r", 2, null, "late"), new("r", 3, 1, null), new("r", 4, 2, null)]));
        Assert.Equal("1 sent, 0 answered, 100 % lost", PingCommand.Summary([new("r", 1, null, "late")]));
    }
}
