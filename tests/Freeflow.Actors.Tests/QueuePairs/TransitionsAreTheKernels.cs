using Freeflow.Actors.QueuePairs;
using Freeflow.Verbs.Abi;
using static Freeflow.Verbs.Abi.QueuePairAttributes;
using State = Freeflow.Verbs.Abi.QueuePairState;

namespace Freeflow.Actors.Tests.QueuePairs;

/// <summary>InfiniBand specification, table 96, for RC.</summary>
public sealed class TransitionsAreTheKernels
{
    private const QueuePairAttributes ToInit = QueuePairAttributes.State | PkeyIndex | Port | QueuePairAttributes.AccessFlags;
    private const QueuePairAttributes ToReceive =
        QueuePairAttributes.State | AddressVector | PathMtu | DestinationQpn | RqPsn | MaxDestRdAtomic | MinRnrTimer;
    private const QueuePairAttributes ToSend =
        QueuePairAttributes.State | QueuePairAttributes.Timeout | RetryCount | RnrRetry | SqPsn | MaxQpRdAtomic;

    public static TheoryData<State, State, QueuePairAttributes> Steps => new()
    {
        { State.Reset, State.Init, ToInit },
        { State.Init, State.ReadyToReceive, ToReceive },
        { State.ReadyToReceive, State.ReadyToSend, ToSend },
    };

    [Theory]
    [MemberData(nameof(Steps))]
    public void EachStepNeedsEveryOneOfItsAttributes(State from, State to, QueuePairAttributes mask)
    {
        Assert.True(QueuePairTransitions.IsAllowed(from, to, mask));
        foreach (var attribute in Enum.GetValues<QueuePairAttributes>().Where(each => each != None && each != QueuePairAttributes.State && mask.HasFlag(each)))
            Assert.False(QueuePairTransitions.IsAllowed(from, to, mask & ~attribute), $"{from} to {to} without {attribute}");
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void AnAttributeThatHasNoPlaceThereIsRefused(State from, State to, QueuePairAttributes mask) =>
        Assert.False(QueuePairTransitions.IsAllowed(from, to, mask | QueuePairAttributes.Qkey));

    [Theory]
    [InlineData(State.Reset, State.ReadyToReceive)]
    [InlineData(State.Reset, State.ReadyToSend)]
    [InlineData(State.Init, State.ReadyToSend)]
    [InlineData(State.ReadyToSend, State.Init)]
    [InlineData(State.ReadyToSend, State.ReadyToReceive)]
    [InlineData(State.Error, State.ReadyToSend)]
    [InlineData(State.Error, State.Init)]
    public void NoStepIsLeftOut(State from, State to)
    {
        foreach (var mask in new[] { ToInit, ToReceive, ToSend, QueuePairAttributes.State })
            Assert.False(QueuePairTransitions.IsAllowed(from, to, mask));
    }

    [Fact]
    public void ResetAndErrorCanBeReachedFromEverywhere()
    {
        foreach (var from in Enum.GetValues<State>())
        {
            Assert.True(QueuePairTransitions.IsAllowed(from, State.Reset, QueuePairAttributes.State));
            Assert.True(QueuePairTransitions.IsAllowed(from, State.Error, QueuePairAttributes.State));
            Assert.False(QueuePairTransitions.IsAllowed(from, State.Error, QueuePairAttributes.State | Port));
        }
    }
}
