using Freeflow.Router.Dashboard.Live;

namespace Freeflow.Router.Tests.Dashboard;

public sealed class RatesAreOfWhatWasCounted
{
    [Fact]
    public void FromOneLookToTheNext()
    {
        var sample = RateSample.Between(
            new RouterTotals { LinkBytesSent = 1000, WorkRequests = 7 }, new RouterTotals { LinkBytesSent = 3000, WorkRequests = 7 }, TimeSpan.FromSeconds(2), DateTimeOffset.UnixEpoch);
        Assert.Equal((0, 1000, 0), (sample.At, sample.LinkSent, sample.WorkRequests));
    }

    [Fact]
    public void HistoryKeepsTheLastOnes()
    {
        var history = new RateHistory();
        Assert.Null(history.Add(default));
        for (var second = 0; second < RateHistory.Most + 10; second++)
            Assert.NotNull(history.Add(new RouterTotals { Completions = second }));
        Assert.Equal(RateHistory.Most, history.Samples.Count);
    }

    [Fact]
    public void RowsThatAreNewHaveNone()
    {
        var rates = new RowRates();
        rates.Begin();
        Assert.Null(rates.Of("qp", 10u, 10u));
        rates.Begin();
        Assert.NotNull(rates.Of("qp", 20u, 10u));
        rates.Begin();
        rates.Begin();
        Assert.Null(rates.Of("qp", 30u, 10u));
    }

    [Fact]
    public void CountersThatGoRoundGoOnAndThoseThatBeginAnewAreNotGuessedAt()
    {
        var rates = new RowRates();
        rates.Begin();
        rates.Of("qp", uint.MaxValue, 5000u);
        rates.Of("flow", 1ul << 40, 5ul);
        rates.Begin();
        var (sends, receives) = rates.Of("qp", 99u, 0u)!.Value;
        Assert.True(sends > 0);
        Assert.Equal(0, receives);
        Assert.Equal((0, 0), rates.Of("flow", 0ul, 5ul)!.Value);
    }
}
