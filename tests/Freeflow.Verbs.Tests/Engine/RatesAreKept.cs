using System.Diagnostics;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Policy;
using Freeflow.Verbs.Testbed;

namespace Freeflow.Verbs.Tests.Engine;

/// <summary>What was sent is compared with the time that it has taken, however long that was: never more than the rate gives for it.</summary>
public sealed class RatesAreKept : TwoEngines
{
    [Theory]
    [InlineData(true, 60_000)]
    [InlineData(false, 60_000)]
    [InlineData(true, 3_000)]
    [InlineData(false, 3_000)]
    public void OfBytes(bool isLocal, int bytes)
    {
        const int Rate = 4_000_000, Ahead = 200_000, Total = 2_400_000;
        using var pair = Connected(isLocal);
        pair.One.Connection.Rates.Own.Set(Rate, null);
        var clock = Stopwatch.StartNew();
        for (var sent = 0; sent < Total; sent += bytes)
            Write(pair, bytes);
        Assert.True(Total <= (clock.Elapsed.TotalSeconds * Rate) + Ahead, $"{Total} bytes in {clock.Elapsed}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OfMessages(bool isLocal)
    {
        const int Rate = 500, Ahead = 20, Total = 200;
        using var pair = Connected(isLocal);
        pair.One.Connection.Rates.Own.Set(null, Rate);
        var clock = Stopwatch.StartNew();
        for (var sent = 0; sent < Total; sent++)
            Write(pair, 8);
        Assert.True(Total <= (clock.Elapsed.TotalSeconds * Rate) + Ahead, $"{Total} messages in {clock.Elapsed}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OfReadsToo(bool isLocal)
    {
        const int Rate = 4_000_000, Ahead = 200_000, Total = 1_200_000, Bytes = 60_000;
        using var pair = Connected(isLocal);

        // On one host the reader is charged, else who answers.
        (isLocal ? pair.One : pair.Other).Connection.Rates.Own.Set(Rate, null);
        var clock = Stopwatch.StartNew();
        for (var read = 0; read < Total; read += Bytes)
        {
            pair.One.Post(WorkRequestOpcode.RdmaRead, 0, Bytes, pair.Other);
            Assert.Equal(WorkCompletionStatus.Success, pair.One.Take().Status);
        }

        Assert.True(Total <= (clock.Elapsed.TotalSeconds * Rate) + Ahead, $"{Total} bytes in {clock.Elapsed}");
    }

    [Fact]
    public void OfATenantByAllTogether()
    {
        const int Rate = 4_000_000, Ahead = 300_000, Total = 1_200_000, Bytes = 60_000;
        using var pair = Connected(isLocal: true);
        using var second = Connected(isLocal: true);
        second.One.Connection.Rates.Tenant = pair.One.Connection.Rates.Tenant;
        pair.One.Connection.Rates.Tenant.Set(Rate, null);
        var clock = Stopwatch.StartNew();
        for (var sent = 0; sent < Total; sent += 2 * Bytes)
        {
            pair.One.Post(WorkRequestOpcode.RdmaWrite, 0, Bytes, pair.Other);
            second.One.Post(WorkRequestOpcode.RdmaWrite, 0, Bytes, second.Other);
            Assert.Equal(WorkCompletionStatus.Success, pair.One.Take().Status);
            Assert.Equal(WorkCompletionStatus.Success, second.One.Take().Status);
        }

        Assert.True(Total <= (clock.Elapsed.TotalSeconds * Rate) + Ahead, $"{Total} bytes in {clock.Elapsed}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WithoutHoldingOthersUpAndUntilTheyAreLifted(bool isLocal)
    {
        const int Count = 60;
        using var slow = Connected(isLocal);
        using var quick = Connected(isLocal);
        slow.One.Connection.Rates.Own.Set(null, 1);
        for (var i = 0; i < Count; i++)
            slow.One.Post(WorkRequestOpcode.RdmaWrite, 0, 8, slow.Other);
        for (var i = 0; i < Count; i++)
            Write(quick, 8);
        var done = 0;
        while (slow.One.TryTake(out _))
            done++;
        Assert.True(done < Count, "all have been sent at one a second");

        slow.One.Connection.Rates.Own.Set(null, null);
        Here.Engine.SetPolicy(AccessPolicy.Open);
        for (; done < Count; done++)
            Assert.Equal(WorkCompletionStatus.Success, slow.One.Take().Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WithoutATimeoutOrARetry(bool isLocal)
    {
        // 268 ms, and none; what waits for the rate waits a second.
        using var pair = Connected(isLocal, timeout: 14, retries: 0, rnrRetries: 0);
        pair.One.Connection.Rates.Own.Set(null, 1);
        for (var i = 0; i < 4; i++)
        {
            pair.Other.PostReceive(0, 100);
            pair.One.Post(WorkRequestOpcode.Send, 0, 100, pair.Other);
        }

        for (var i = 0; i < 4; i++)
            Assert.Equal(WorkCompletionStatus.Success, pair.One.Take().Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NotOfWhatIsReceived(bool isLocal)
    {
        using var pair = Connected(isLocal);
        pair.Other.Connection.Rates.Own.Set(1, 1);
        for (var i = 0; i < 100; i++)
        {
            pair.Other.PostReceive(0, 60_000);
            pair.One.Post(WorkRequestOpcode.Send, 0, 60_000, pair.Other);
            Assert.Equal(WorkCompletionStatus.Success, pair.One.Take().Status);
            Assert.Equal(WorkCompletionStatus.Success, pair.Other.Take().Status);
        }
    }

    [Fact]
    public void WhatWaitsIsFlushedWhenItsQueuePairFails()
    {
        using var pair = Connected(isLocal: true);
        pair.One.Connection.Rates.Own.Set(null, 1);
        for (var i = 0; i < 20; i++)
            pair.One.Post(WorkRequestOpcode.RdmaWrite, 0, 8, pair.Other);
        pair.One.Take();
        pair.One.Modify(new QueuePairChange { State = QueuePairState.Error });
        WorkCompletion last = default;
        for (var i = 1; i < 20; i++)
            last = pair.One.Take();
        Assert.Equal(WorkCompletionStatus.WorkRequestFlushError, last.Status);
    }

    private static void Write(EnginePair pair, int bytes)
    {
        pair.One.Post(WorkRequestOpcode.RdmaWrite, 0, bytes, pair.Other);
        Assert.Equal(WorkCompletionStatus.Success, pair.One.Take().Status);
    }
}
