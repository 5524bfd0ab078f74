using System.Runtime.InteropServices;
using Freeflow.Lab;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Testbed;

namespace Freeflow.Verbs.Tests.Engine;

/// <summary>Two applications, on one engine or on two with a data link between.</summary>
public class WorkRequestsAreExecuted : TwoEngines
{
    [Theory]
    [InlineData(true, 0)]
    [InlineData(true, 1)]
    [InlineData(true, 60_000)]
    [InlineData(false, 0)]
    [InlineData(false, 1)]
    [InlineData(false, 60_000)]
    public void SendArrivesInTheReceiveThatWasPosted(bool isLocal, int bytes)
    {
        using var pair = Connected(isLocal);
        Random.Shared.NextBytes(pair.One.Memory);
        pair.Other.PostReceive(0, 65_000, id: 77);
        pair.One.Post(WorkRequestOpcode.SendWithImmediate, 100, bytes, pair.Other, id: 5, immediate: 0x01020304);
        var sent = pair.One.Take();
        var received = pair.Other.Take();
        Assert.Equal((5UL, WorkCompletionStatus.Success, WorkCompletionOpcode.Send), (sent.WorkRequestId, sent.Status, sent.Opcode));
        Assert.Equal((77UL, WorkCompletionStatus.Success, WorkCompletionOpcode.Receive), (received.WorkRequestId, received.Status, received.Opcode));
        Assert.Equal(((uint)bytes, 0x01020304u, WorkCompletionFlags.Grh | WorkCompletionFlags.WithImmediate), (received.ByteLength, received.ImmediateOrKey, received.Flags));
        Assert.Equal(pair.One.Memory.Slice(100, bytes).ToArray(), pair.Other.Memory[..bytes].ToArray());
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(true, 536)]
    [InlineData(true, 537)]
    [InlineData(false, 0)]
    [InlineData(false, 536)]
    [InlineData(false, 537)]
    public void OfAReceiveJustWhatTheMessageNeedsHasToBeThere(bool isLocal, int bytes)
    {
        using var pair = Connected(isLocal);
        var isThere = bytes <= 536;
        pair.Other.PostReceive(65_000, 9_000);
        pair.One.Post(WorkRequestOpcode.Send, 0, bytes, pair.Other);
        Assert.Equal(isThere ? WorkCompletionStatus.Success : WorkCompletionStatus.RemoteOperationError, pair.One.Take().Status);
        Assert.Equal(isThere ? WorkCompletionStatus.Success : WorkCompletionStatus.LocalProtectionError, pair.Other.Take().Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TheyAreCountedBeyondTheSizeOfTheQueue(bool isLocal)
    {
        const uint count = 1000;
        using var pair = Connected(isLocal);
        for (var i = 0; i < count; i++)
        {
            pair.Other.PostReceive(0, 100);
            pair.One.Post(WorkRequestOpcode.Send, 0, 100, pair.Other);
            pair.One.Take();
            pair.Other.Take();
        }

        Assert.Equal((count, 0u, 0u), (pair.One.QueuePair.SendsDone, pair.One.QueuePair.SendsUnderWay, pair.One.QueuePair.ReceivesTaken));
        Assert.Equal((0u, count), (pair.Other.QueuePair.SendsDone, pair.Other.QueuePair.ReceivesTaken));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WriteThenReadBringsBackTheSame(bool isLocal)
    {
        using var pair = Connected(isLocal);
        Random.Shared.NextBytes(pair.One.Memory);
        pair.One.Post(WorkRequestOpcode.RdmaWrite, 0, 30_000, pair.Other, 5000);
        Assert.Equal(WorkCompletionStatus.Success, pair.One.Take().Status);
        pair.One.Post(WorkRequestOpcode.RdmaRead, 30_000, 30_000, pair.Other, 5000);
        Assert.Equal(WorkCompletionOpcode.RdmaRead, pair.One.Take().Opcode);
        Assert.Equal(pair.One.Memory[..30_000].ToArray(), pair.One.Memory.Slice(30_000, 30_000).ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AtomicsReturnWhatWasThere(bool isLocal)
    {
        using var pair = Connected(isLocal);
        MemoryMarshal.Write(pair.Other.Memory[64..], 40UL);
        pair.One.Post(WorkRequestOpcode.AtomicFetchAndAdd, 0, 8, pair.Other, 64, compareAdd: 2);
        Assert.Equal(WorkCompletionStatus.Success, pair.One.Take().Status);
        pair.One.Post(WorkRequestOpcode.AtomicCompareAndSwap, 8, 8, pair.Other, 64, compareAdd: 42, swap: 7);
        Assert.Equal(WorkCompletionStatus.Success, pair.One.Take().Status);
        pair.One.Post(WorkRequestOpcode.AtomicCompareAndSwap, 16, 8, pair.Other, 64, compareAdd: 42, swap: 8);
        Assert.Equal(WorkCompletionStatus.Success, pair.One.Take().Status);
        Assert.Equal([40UL, 42UL, 7UL], MemoryMarshal.Cast<byte, ulong>(pair.One.Memory[..24]).ToArray());
        Assert.Equal(7UL, MemoryMarshal.Read<ulong>(pair.Other.Memory[64..]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ASenderWaitsForTheReceiver(bool isLocal)
    {
        using var pair = Connected(isLocal);
        pair.One.Post(WorkRequestOpcode.Send, 0, 64, pair.Other);
        var receiving = isLocal ? Here : There;
        WaitFor.That("an RNR NAK", () => receiving.Engine.Statistics.RnrNaks > 0);
        Assert.False(pair.One.TryTake(out _));
        pair.Other.PostReceive(0, 64);
        Assert.Equal(WorkCompletionStatus.Success, pair.One.Take().Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AQpThatWaitsForItsReceiverHoldsUpNoOther(bool isLocal)
    {
        using var waiting = Connected(isLocal);
        using var busy = Connected(isLocal);
        const int Count = 40;
        for (var i = 0; i < Count; i++)
            waiting.One.Post(WorkRequestOpcode.Send, 0, 60_000, waiting.Other);
        for (var i = 0; i < 50; i++)
        {
            busy.One.Post(WorkRequestOpcode.RdmaWrite, 0, 60_000, busy.Other);
            Assert.Equal(WorkCompletionStatus.Success, busy.One.Take().Status);
        }

        Assert.False(waiting.One.TryTake(out _));
        for (var i = 0; i < Count; i++)
            waiting.Other.PostReceive(0, 60_000);
        for (var i = 0; i < Count; i++)
            Assert.Equal(WorkCompletionStatus.Success, waiting.One.Take().Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void RnrRetriesRunOut(bool isLocal)
    {
        using var pair = Connected(isLocal, rnrRetries: 2);
        pair.One.Post(WorkRequestOpcode.Send, 0, 64, pair.Other);
        Assert.Equal(WorkCompletionStatus.RnrRetryExceededError, pair.One.Take().Status);
        AwaitError(pair.One.QueuePair);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ABadRemoteAddressEndsBothQpsAndFlushesTheRest(bool isLocal)
    {
        using var pair = Connected(isLocal);
        pair.Other.PostReceive(0, 64, id: 9);
        pair.One.Post(WorkRequestOpcode.RdmaWrite, 0, 64, pair.Other, remoteOffset: 65_530, id: 1);
        Assert.Equal(WorkCompletionStatus.RemoteAccessError, pair.One.Take().Status);
        pair.One.Post(WorkRequestOpcode.RdmaWrite, 0, 64, pair.Other, id: 2);
        Assert.Equal(WorkCompletionStatus.WorkRequestFlushError, pair.One.Take().Status);
        var flushed = pair.Other.Take();
        Assert.Equal((9UL, WorkCompletionStatus.WorkRequestFlushError), (flushed.WorkRequestId, flushed.Status));
        Assert.Contains((pair.Other.QueuePair.Number, QueuePairFault.AccessViolation), (isLocal ? Here : There).Failures);
    }

    [Fact]
    public void AnotherProtectionDomainsKeyIsNoKey()
    {
        using var pair = Connected(isLocal: true);
        using var stranger = new EngineApplication(Here, "10.0.0.3", protectionDomain: 2);
        pair.One.Post(WorkRequestOpcode.RdmaWrite, 0, 8, stranger);
        Assert.Equal(WorkCompletionStatus.RemoteAccessError, pair.One.Take().Status);
    }

    [Fact]
    public async Task AFullCqLosesCompletionsAndSaysSo()
    {
        using var one = new EngineApplication(Here, "10.0.0.1", completions: 4);
        using var other = new EngineApplication(Here, "10.0.0.2");
        EngineApplication.Connect(one, other);
        for (var i = 0; i < 20; i++)
            one.Post(WorkRequestOpcode.RdmaWrite, 0, 8, other);
        await Here.UntilAsync("overrun");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void APeerThatIsGoneUsesUpTheRetries(bool isLocal)
    {
        using var pair = Connected(isLocal, timeout: 8, retries: 1);
        pair.Other.Dispose();
        pair.One.Post(WorkRequestOpcode.RdmaWrite, 0, 8, pair.Other);
        Assert.Equal(WorkCompletionStatus.RetryExceededError, pair.One.Take().Status);
    }

    [Fact]
    public async Task WhatALostLinkDidNotDeliverIsSentAgainOnTheNext()
    {
        using var pair = Connected(isLocal: false);
        for (var round = 0; round < 5; round++)
        {
            Random.Shared.NextBytes(pair.One.Memory);
            pair.One.Post(WorkRequestOpcode.RdmaWrite, 0, 60_000, pair.Other, 0);
            // Attaching a link to the same peer closes the older one, in whatever it was doing.
            await EngineSite.LinkAsync(Here, There, Encrypts);
            Assert.Equal(WorkCompletionStatus.Success, pair.One.Take().Status);
            Assert.Equal(pair.One.Memory[..60_000].ToArray(), pair.Other.Memory[..60_000].ToArray());
        }
    }

    [Fact]
    public void AReceiverIsToldWhenItsPeersRouterIsRemoved()
    {
        using var pair = Connected(isLocal: false);
        pair.Other.PostReceive(0, 64, id: 3);
        There.Engine.RemovePeer(0);
        var flushed = pair.Other.Take();
        Assert.Equal((3UL, WorkCompletionStatus.WorkRequestFlushError), (flushed.WorkRequestId, flushed.Status));
    }

    [Fact]
    public void AReceiverWithoutALinkGivesItsPeerUpWithinItsRetryTime()
    {
        using var pair = Connected(isLocal: false, timeout: 8, retries: 1);
        pair.Other.PostReceive(0, 64, id: 4);
        // The other engine hangs up, and does not call again.
        Here.Engine.RemovePeer(0);
        Assert.Equal(WorkCompletionStatus.WorkRequestFlushError, pair.Other.Take().Status);
    }

    [Fact]
    public void TheLastAcknowledgementLeavesBeforeItsQpDoes()
    {
        for (var round = 0; round < 20; round++)
        {
            using var pair = Connected(isLocal: false, timeout: 10, retries: 1);
            // A firm habit of answering, so that the last acknowledgement is held back.
            for (var i = 0; i < 12; i++)
            {
                pair.Other.PostReceive(0, 64);
                pair.One.PostReceive(0, 64);
                pair.One.Post(WorkRequestOpcode.Send, 0, 64, pair.Other);
                pair.Other.Take();
                pair.Other.Post(WorkRequestOpcode.Send, 0, 64, pair.One);
                pair.Other.Take();
                pair.One.Take();
                pair.One.Take();
            }

            pair.Other.PostReceive(0, 64);
            pair.One.Post(WorkRequestOpcode.Send, 0, 64, pair.Other);
            pair.Other.Take();
            pair.Other.Dispose();
            Assert.Equal(WorkCompletionStatus.Success, pair.One.Take().Status);
        }
    }
}
