using Freeflow.Verbs.Handover.Pacing;

namespace Freeflow.Verbs.Tests.Handover;

public sealed class RatesAreDivided
{
    private const double Capacity = 1000;

    [Fact]
    public void EquallyAmongThoseThatUseAllOfTheirs()
    {
        double[] shares = [100, 100, 100, 100];
        RateSharing.Divide(Capacity, [100, 90, 75, 120], shares);
        Assert.All(shares, share => Assert.Equal(250, share));
    }

    [Fact]
    public void WhatTheOthersDoNotUseIsTheirs()
    {
        double[] shares = [500, 500];
        RateSharing.Divide(Capacity, [490, 0], shares);
        Assert.Equal(Capacity, shares[0]);
        // The one that may begin again at any time.
        Assert.Equal(Capacity, shares[1]);
        RateSharing.Divide(Capacity, [600, 400], shares);
        Assert.Equal(600, shares[1]);
        Assert.InRange(shares[0], 400, Capacity);
    }

    [Fact]
    public void AndAHundredQuietOnesDoNotHoldUpTheOneThatSends()
    {
        var (shares, used) = (new double[101], new double[101]);
        Array.Fill(shares, Capacity / 101);
        used[0] = shares[0];
        RateSharing.Divide(Capacity, used, shares);
        Assert.Equal(Capacity, shares[0]);
        Assert.InRange(shares.Sum(), Capacity, 2.0001 * Capacity);
    }

    /// <summary>Connections that always want more, and measure as they do: however they begin, and whatever they did, it comes to the limit.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 7)]
    [InlineData(3, 50)]
    public void InTheMiddleTheLimitHolds(int seed, int connections)
    {
        var random = new Random(seed);
        var group = new PacedGroup { Limit = 1_000_000 };
        var shares = Enumerable.Repeat(double.MaxValue, connections).ToArray();
        var used = new double[connections];
        const int rounds = 400;
        var sum = 0.0;
        for (var round = 0; round < rounds; round++)
        {
            RateSharing.Divide(group.Capacity(0.25), used, shares);
            for (var i = 0; i < connections; i++)
                used[i] = random.Next(4) == 0 ? shares[i] * random.NextDouble() : shares[i];
            group.Used = used.Sum();
            sum += group.Used;
        }

        Assert.InRange(sum / rounds, 0.6 * group.Limit, 1.05 * group.Limit);
    }
}
