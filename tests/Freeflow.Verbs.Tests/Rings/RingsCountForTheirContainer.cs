using System.ComponentModel;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Memory;
using Freeflow.Verbs.Rings;

namespace Freeflow.Verbs.Tests.Rings;

public sealed class RingsCountForTheirContainer
{
    [Fact]
    public void UntilTheyAreDisposedOnce()
    {
        var budget = new ByteBudget(1 << 20);
        using var ledger = new RingLedger(budget);
        var ring = SharedRing.Create("test", 100, 64, ledger, beside: 10);
        Assert.Equal(ring.Bytes + (128 * 10), budget.Taken);
        ring.Dispose();
        ring.Dispose();
        Assert.Equal(0, budget.Taken);
    }

    [Fact]
    public void OneThatIsTooLargeIsRefusedAndCountsForNothing()
    {
        var budget = new ByteBudget(8192);
        using var ledger = new RingLedger(budget);
        using var small = SharedRing.Create("test", 1, 64, ledger);
        var taken = budget.Taken;
        Assert.Equal(12, Assert.Throws<Win32Exception>(() => SharedRing.Create("test", 100, 64, ledger)).NativeErrorCode);
        Assert.Equal(taken, budget.Taken);
    }

    [Fact]
    public void WhatNobodyDisposedEndsWithTheConnection()
    {
        var budget = new ByteBudget(1 << 20);
        var connection = EngineConnection.Create(budget);
        _ = EngineCompletionQueue.Create(connection, 0, 16, channel: null, userHandle: 0);
        var gone = EngineCompletionQueue.Create(connection, 1, 16, channel: null, userHandle: 0);
        gone.Dispose();
        Assert.True(budget.Taken > 0);
        connection.Dispose();
        Assert.Equal(0, budget.Taken);
        Assert.Throws<Win32Exception>(() => EngineCompletionQueue.Create(connection, 0, 16, channel: null, userHandle: 0));
        Assert.Equal(0, budget.Taken);
    }

    [Fact]
    public async Task TakersAtTheSameMomentNeverHaveMoreThanThereIs()
    {
        var budget = new ByteBudget(1000);
        var takers = Enumerable.Range(0, 4).Select(_ => Task.Run(() => Enumerable.Range(0, 1000).Count(_ => budget.TryTake(1))));
        Assert.Equal(1000, (await Task.WhenAll(takers)).Sum());
        Assert.False(budget.TryTake(long.MaxValue));
    }

    [Fact]
    public void AChannelThatItsApplicationHasClosedMakesRoomForAnother()
    {
        var channels = new ContainerChannels(2);
        var first = channels.TryMake(8)!;
        Assert.NotNull(channels.TryMake(8));
        Assert.Null(channels.TryMake(8));
        first.Forget();
        Assert.NotNull(channels.TryMake(8));
        Assert.True(first.IsAbandoned);
    }
}
