using Freeflow.Verbs.Engine;

namespace Freeflow.Verbs.Tests.Engine;

public sealed class WaitsAreCounted
{
    [Theory]
    [InlineData(0, 1.024e-6)]
    [InlineData(1024, 1.024e-6)]
    [InlineData(1025, 2.048e-6)]
    [InlineData(2048, 2.048e-6)]
    [InlineData(1_000_000, 1.048576e-3)]
    [InlineData(-5, 1.024e-6)]
    public void InTheStepThatTheyFitInto(long nanoseconds, double bound)
    {
        var waits = new WaitHistogram();
        waits.Add(nanoseconds);
        var at = WaitHistogram.UpperSeconds.ToList().IndexOf(bound);
        Assert.True(at >= 0);
        Assert.Equal(Enumerable.Range(0, WaitHistogram.UpperSeconds.Count + 1).Select(i => i >= at ? 1L : 0), waits.Cumulative());
    }

    [Fact]
    public void VeryLongOnesOnlyAmongAll()
    {
        var waits = new WaitHistogram();
        waits.Add(10_000_000_000);
        Assert.Equal(0, waits.Cumulative()[^2]);
        Assert.Equal(1, waits.Cumulative()[^1]);
        Assert.Equal(10, waits.SumSeconds);
    }

    [Fact]
    public void ASleepCountsWhileItLastsAndOnce()
    {
        var clock = new SleepClock();
        clock.FallAsleep();
        // The clock reads the time itself, and has no other source of it.
        Thread.Sleep(20);
        var during = clock.Asleep;
        Assert.True(during >= TimeSpan.FromMilliseconds(19), $"{during}");
        clock.WakeUp();
        var after = clock.Asleep;
        Assert.True(after >= during);
        // The same: time has to pass while it is awake.
        Thread.Sleep(20);
        Assert.Equal(after, clock.Asleep);
        Assert.True(clock.Awake >= TimeSpan.FromMilliseconds(19), $"{clock.Awake}");
    }
}
