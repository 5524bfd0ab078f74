using Freeflow.Lab;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Testbed;

namespace Freeflow.Verbs.Tests.Engine;

/// <summary>SRQs, their limit, and queues that move to another ring; within an engine and over a link.</summary>
public sealed class SharedReceivesAreTaken : TwoEngines
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task InOrderAndTheLimitIsSaidOnce(bool isLocal)
    {
        using var one = new EngineApplication(Here, "10.0.0.1");
        using var other = Receiver(isLocal);
        EngineApplication.Connect(one, other);
        for (var i = 0; i < 6; i++)
            other.PostReceive(64 * i, 64, (ulong)i);
        Assert.True(EngineApplication.Ask<bool>(done => Site(isLocal).Engine.Modify(other.Shared!, null, 4, done)));
        for (var i = 0; i < 6; i++)
            one.Post(WorkRequestOpcode.Send, 0, 64, other, id: (ulong)i);
        for (var i = 0; i < 6; i++)
            Assert.Equal(((ulong)i, WorkCompletionStatus.Success), Outcome(other.Take()));
        await Site(isLocal).UntilAsync("limit");
        Assert.Single(Site(isLocal).News, "limit");
        Assert.Equal(0u, other.Shared!.Limit);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AQpInErrorLeavesThemAndSaysSo(bool isLocal)
    {
        using var one = new EngineApplication(Here, "10.0.0.1");
        using var other = Receiver(isLocal);
        EngineApplication.Connect(one, other);
        other.PostReceive(0, 64, 1);
        other.Modify(new QueuePairChange { State = QueuePairState.Error });
        await Site(isLocal).UntilAsync("last receive");
        Assert.False(other.TryTake(out _));
        Assert.Equal(0u, other.Shared!.Ring.Consumer);
    }

    [Fact]
    public void WhatIsPostedMovesAlong()
    {
        using var one = new EngineApplication(Here, "10.0.0.1");
        using var other = Receiver(isLocal: true);
        EngineApplication.Connect(one, other);
        for (var i = 0; i < 5; i++)
            other.PostReceive(64 * i, 64, (ulong)i);
        one.Post(WorkRequestOpcode.Send, 0, 64, other);
        Assert.Equal(0UL, other.Take().WorkRequestId);

        // Four are left: too many for three, not for a hundred.
        using var old = other.Shared!.Ring;
        using var small = EngineReceiveQueue.NewSharedRing(other.Connection, 0, 3, 4);
        var large = EngineReceiveQueue.NewSharedRing(other.Connection, 0, 100, 4);
        Assert.False(EngineApplication.Ask<bool>(done => Here.Engine.Modify(other.Shared, small, null, done)));
        Assert.True(EngineApplication.Ask<bool>(done => Here.Engine.Modify(other.Shared, large, null, done)));
        other.Remap();
        other.PostReceive(0, 64, 9);
        for (var i = 0; i < 5; i++)
            one.Post(WorkRequestOpcode.Send, 0, 64, other);
        Assert.Equal([1UL, 2, 3, 4, 9], Enumerable.Range(0, 5).Select(_ => other.Take().WorkRequestId));
    }

    [Fact]
    public void CompletionsThatNobodyHasTakenMoveAlong()
    {
        using var one = new EngineApplication(Here, "10.0.0.1", completions: 10);
        using var other = new EngineApplication(Here, "10.0.0.2");
        EngineApplication.Connect(one, other);
        for (var i = 0; i < 5; i++)
            one.Post(WorkRequestOpcode.RdmaWrite, 0, 64, other, id: (ulong)i);
        Assert.Equal(0UL, one.Take().WorkRequestId);
        WaitFor.That("five completions", () => one.QueuePair.SendsDone == 5);
        using var old = one.CompletionQueue.Ring;
        using var small = EngineCompletionQueue.NewRing(one.Connection, 0, 3);
        var large = EngineCompletionQueue.NewRing(one.Connection, 0, 100);
        Assert.False(EngineApplication.Ask<bool>(done => Here.Engine.Resize(one.CompletionQueue, small, 3, done)));
        Assert.True(EngineApplication.Ask<bool>(done => Here.Engine.Resize(one.CompletionQueue, large, 100, done)));
        one.Remap();
        one.Post(WorkRequestOpcode.RdmaWrite, 0, 64, other, id: 5);
        Assert.Equal([1UL, 2, 3, 4, 5], Enumerable.Range(0, 5).Select(_ => one.Take().WorkRequestId));
    }

    [Fact]
    public async Task AnOverrunCqTakesItsReceiversQpWithIt()
    {
        using var one = new EngineApplication(Here, "10.0.0.1");
        using var other = new EngineApplication(Here, "10.0.0.2", completions: 1);
        EngineApplication.Connect(one, other);
        for (var i = 0; i < 4; i++)
            other.PostReceive(0, 64);
        for (var i = 0; i < 2; i++)
            one.Post(WorkRequestOpcode.Send, 0, 64, other);
        await Here.UntilAsync("overrun");
        Assert.Contains((other.QueuePair.Number, QueuePairFault.Fatal), Here.Failures);
    }

    private EngineSite Site(bool isLocal) => isLocal ? Here : There;

    private EngineApplication Receiver(bool isLocal) => new(Site(isLocal), "10.0.0.2", sharedReceives: 30);

    private static (ulong Id, WorkCompletionStatus Status) Outcome(WorkCompletion completion) => (completion.WorkRequestId, completion.Status);
}
