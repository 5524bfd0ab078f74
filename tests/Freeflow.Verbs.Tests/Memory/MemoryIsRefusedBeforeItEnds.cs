using Freeflow.Verbs.Memory;
using Microsoft.Extensions.Time.Testing;

namespace Freeflow.Verbs.Tests.Memory;

public sealed class MemoryIsRefusedBeforeItEnds
{
    private const long Megabyte = 1 << 20;

    private (long Limit, long Used)? _seen = (800 * Megabyte, 100 * Megabyte);

    [Fact]
    public void WithoutABoundNothingIs()
    {
        _seen = null;
        var headroom = new MemoryHeadroom(() => _seen);
        Assert.True(headroom.TryTake(long.MaxValue));
        Assert.True(headroom.TryPromise(long.MaxValue / 2));
        Assert.True(headroom.TryTake(1));
        Assert.Equal(0, headroom.Refused);
    }

    [Fact]
    public void AnEighthIsKeptFree()
    {
        var headroom = new MemoryHeadroom(() => _seen);
        Assert.False(headroom.TryTake(601 * Megabyte));
        Assert.True(headroom.TryTake(400 * Megabyte));
        Assert.False(headroom.TryTake(201 * Megabyte));
        Assert.Equal(2, headroom.Refused);
    }

    [Fact]
    public void OfASmallBoundMoreIsKeptFree()
    {
        _seen = (160 * Megabyte, 100 * Megabyte);
        var headroom = new MemoryHeadroom(() => _seen);
        Assert.True(headroom.TryTake(12 * Megabyte));
        Assert.False(headroom.TryTake(1));
    }

    [Fact]
    public void WhatWasPromisedCountsBeforeItIsUsed()
    {
        var clock = new FakeTimeProvider();
        var headroom = new MemoryHeadroom(() => _seen, clock);
        Assert.True(headroom.TryPromise(400 * Megabyte));
        // Looked at anew, there is not a page more in use.
        clock.Advance(MemoryHeadroom.LookEvery);
        Assert.False(headroom.TryTake(250 * Megabyte));
        headroom.Return(400 * Megabyte);
        Assert.False(headroom.TryTake(250 * Megabyte));
        clock.Advance(MemoryHeadroom.LookEvery);
        Assert.True(headroom.TryTake(250 * Megabyte));
    }
}
