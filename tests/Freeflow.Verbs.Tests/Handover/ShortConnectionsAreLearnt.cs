using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Tests.Handover;

public sealed class ShortConnectionsAreLearnt
{
    private static readonly HandoverOptions s_options = new()
    {
        HostAddress = new Ipv4(1),
        ShortInARow = 4,
        ShortBytes = 1000,
        ShortTime = TimeSpan.FromMilliseconds(20),
        ForgetAfter = TimeSpan.FromSeconds(60),
    };

    private readonly DestinationHistory _history = new();

    [Fact]
    public void AfterSoManyInARow()
    {
        for (var i = 0; i < 3; i++)
            Assert.False(Add(10, 1));
        Assert.False(_history.IsPlain(0));
        Assert.True(Add(10, 1));
        Assert.True(_history.IsPlain(0));
    }

    [Theory]
    [InlineData(1001, 1)]
    [InlineData(10, 21)]
    public void ALongOneAmongThemBeginsAnew(long bytes, long milliseconds)
    {
        for (var i = 0; i < 3; i++)
            Add(10, 1);
        Add(bytes, milliseconds);
        Assert.False(Add(10, 1));
        Assert.False(_history.IsPlain(0));
    }

    [Fact]
    public void AndForgotten()
    {
        for (var i = 0; i < 4; i++)
            Add(10, 1);
        Assert.False(_history.TryForget(59_999));
        Assert.True(_history.TryForget(60_000));
        Assert.False(_history.IsPlain(60_000));
        Assert.False(Add(10, 1));
    }

    [Fact]
    public void WhatIsHeardOfNoMoreIsIdle()
    {
        Add(10, 1);
        Assert.False(_history.IsIdle(s_options, 60_000));
        Assert.True(_history.IsIdle(s_options, 60_001));
        for (var i = 0; i < 3; i++)
            Add(10, 1);
        Assert.False(_history.IsIdle(s_options, 60_001));
        Assert.True(_history.TryForget(60_001));
        Assert.True(_history.IsIdle(s_options, 60_001));
    }

    private bool Add(long bytes, long milliseconds) => _history.Add(1, bytes, milliseconds, s_options, now: 0);
}
