using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Testbed;

namespace Freeflow.Verbs.Tests.Engine;

/// <summary>UC QPs on one engine or on two with a data link between.</summary>
public class UnreliableMessagesAreCarried : TwoEngines
{
    [Theory]
    [InlineData(true, 0)]
    [InlineData(true, 60_000)]
    [InlineData(false, 0)]
    [InlineData(false, 60_000)]
    public void SendsArriveInTheirReceives(bool isLocal, int bytes)
    {
        var (one, other) = Pair(isLocal);
        Random.Shared.NextBytes(one.Memory);
        other.PostReceive(0, 65_000, id: 77);
        one.Post(WorkRequestOpcode.SendWithImmediate, 100, bytes, other, id: 5, immediate: 9);
        Assert.Equal((5UL, WorkCompletionStatus.Success), (one.Take() is var sent ? sent.WorkRequestId : 0, sent.Status));
        var got = other.Take();
        Assert.Equal((77UL, WorkCompletionStatus.Success, (uint)bytes, 9u), (got.WorkRequestId, got.Status, got.ByteLength, got.ImmediateOrKey));
        Assert.Equal(one.Memory.Slice(100, bytes).ToArray(), other.Memory[..bytes].ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WritesNeedNoReceiveButForTheirImmediateData(bool isLocal)
    {
        var (one, other) = Pair(isLocal);
        Random.Shared.NextBytes(one.Memory);
        other.PostReceive(0, 8, id: 3);
        one.Post(WorkRequestOpcode.RdmaWrite, 0, 40_000, other, 1000);
        one.Post(WorkRequestOpcode.RdmaWriteWithImmediate, 40_000, 8, other, 41_000, immediate: 4);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        Assert.Equal((3UL, WorkCompletionOpcode.ReceiveRdmaWithImmediate), (other.Take() is var got ? got.WorkRequestId : 0, got.Opcode));
        Assert.Equal(one.Memory[..40_008].ToArray(), other.Memory.Slice(1000, 40_008).ToArray());
    }

    [Theory]
    [InlineData(true, "no receive")]
    [InlineData(true, "short receive")]
    [InlineData(true, "beyond the region")]
    [InlineData(false, "no receive")]
    [InlineData(false, "short receive")]
    [InlineData(false, "beyond the region")]
    public void WhatCanNotBeTakenIsDroppedAndBothGoOn(bool isLocal, string why)
    {
        var (one, other) = Pair(isLocal);
        if (why != "no receive")
            other.PostReceive(0, why == "short receive" ? 99 : 1000, id: 1);
        if (why == "beyond the region")
            one.Post(WorkRequestOpcode.RdmaWriteWithImmediate, 0, 100, other, other.Memory.Length - 99);
        else
            one.Post(WorkRequestOpcode.Send, 0, 100, other);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        Here.SynchronizeWithPeer();
        Assert.False(other.TryTake(out _));
        if (why == "no receive")
            other.PostReceive(0, 1000, id: 1);
        one.Post(WorkRequestOpcode.Send, 0, 98, other);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        Assert.Equal((1UL, WorkCompletionStatus.Success, 98u), (other.Take() is var got ? got.WorkRequestId : 0, got.Status, got.ByteLength));
        Assert.Equal((QueuePairState.ReadyToSend, QueuePairState.ReadyToSend), (one.QueuePair.State, other.QueuePair.State));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AReceiveOfAnSrqThatIsTooShortIsUsedUp(bool isLocal)
    {
        var (one, other) = Pair(isLocal, sharedReceives: 16);
        other.PostReceive(0, 99, id: 1);
        other.PostReceive(0, 1000, id: 2);
        one.Post(WorkRequestOpcode.Send, 0, 100, other);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        Assert.Equal((1UL, WorkCompletionStatus.RemoteInvalidRequestError), (other.Take() is var used ? used.WorkRequestId : 0, used.Status));
        one.Post(WorkRequestOpcode.Send, 0, 100, other);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        Assert.Equal((2UL, WorkCompletionStatus.Success), (other.Take() is var got ? got.WorkRequestId : 0, got.Status));
        Assert.Equal(QueuePairState.ReadyToSend, other.QueuePair.State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AReliableQpIsNotSpokenTo(bool isLocal)
    {
        using var one = new EngineApplication(Here, "10.0.0.1", type: QueuePairType.UnreliableConnection);
        using var other = new EngineApplication(isLocal ? Here : There, "10.0.0.2");
        EngineApplication.Connect(one, other);
        other.PostReceive(0, 1000);
        one.Post(WorkRequestOpcode.Send, 0, 10, other);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        Here.SynchronizeWithPeer();
        Assert.False(other.TryTake(out _));
    }

    [Theory]
    [InlineData(WorkRequestOpcode.RdmaRead)]
    [InlineData(WorkRequestOpcode.AtomicFetchAndAdd)]
    public void NothingThatWantsAnAnswer(WorkRequestOpcode opcode)
    {
        var (one, other) = Pair(isLocal: true);
        one.Post(opcode, 0, 8, other);
        Assert.Equal(WorkCompletionStatus.LocalQpOperationError, one.Take().Status);
        AwaitError(one.QueuePair);
    }

    [Fact]
    public async Task WithoutALinkMessagesAreLostAndWithANewOneTheyArrive()
    {
        var (one, other) = Pair(isLocal: false);
        There.Engine.RemovePeer(0);
        await Here.UntilAsync("link down");
        one.Post(WorkRequestOpcode.RdmaWrite, 0, 60_000, other);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        await EngineSite.LinkAsync(Here, There, Encrypts);
        other.PostReceive(0, 100);
        one.Post(WorkRequestOpcode.Send, 0, 10, other);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        Assert.Equal(10u, other.Take().ByteLength);
    }

    private (EngineApplication One, EngineApplication Other) Pair(bool isLocal, int sharedReceives = 0)
    {
        var one = new EngineApplication(Here, "10.0.0.1", type: QueuePairType.UnreliableConnection);
        var other = new EngineApplication(
            isLocal ? Here : There, "10.0.0.2", sharedReceives: sharedReceives, type: QueuePairType.UnreliableConnection);
        EngineApplication.Connect(one, other);
        return (one, other);
    }
}
