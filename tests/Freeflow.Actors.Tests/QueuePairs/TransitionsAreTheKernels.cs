using Freeflow.Actors.QueuePairs;
using Freeflow.Verbs.Abi;
using static Freeflow.Verbs.Abi.QueuePairAttributes;
using State = Freeflow.Verbs.Abi.QueuePairState;
using Type = Freeflow.Verbs.Abi.QueuePairType;

namespace Freeflow.Actors.Tests.QueuePairs;

/// <summary>InfiniBand specification, table 96.</summary>
public sealed class TransitionsAreTheKernels
{
    private const QueuePairAttributes Named = QueuePairAttributes.State;
    private const QueuePairAttributes ToInit = Named | PkeyIndex | Port | QueuePairAttributes.AccessFlags;
    private const QueuePairAttributes DatagramToInit = Named | PkeyIndex | Port | Qkey;
    private const QueuePairAttributes ToReceive = Named | AddressVector | PathMtu | DestinationQpn | RqPsn;
    private const QueuePairAttributes ReliableToReceive = ToReceive | MaxDestRdAtomic | MinRnrTimer;
    private const QueuePairAttributes ToSend = Named | SqPsn;
    private const QueuePairAttributes ReliableToSend = ToSend | QueuePairAttributes.Timeout | RetryCount | RnrRetry | MaxQpRdAtomic;

    private static readonly QueuePairAttributes[] s_masks =
        [ToInit, DatagramToInit, ToReceive, ReliableToReceive, ToSend, ReliableToSend, Named];

    /// <summary>Each step on the way up, the attributes that it needs, and one that has no place in it.</summary>
    public static TheoryData<Type, State, State, QueuePairAttributes, QueuePairAttributes> Steps => new()
    {
        { Type.ReliableConnection, State.Reset, State.Init, ToInit, Qkey },
        { Type.ReliableConnection, State.Init, State.ReadyToReceive, ReliableToReceive, Qkey },
        { Type.ReliableConnection, State.ReadyToReceive, State.ReadyToSend, ReliableToSend, Qkey },
        { Type.UnreliableConnection, State.Reset, State.Init, ToInit, Qkey },
        { Type.UnreliableConnection, State.Init, State.ReadyToReceive, ToReceive, MinRnrTimer },
        { Type.UnreliableConnection, State.ReadyToReceive, State.ReadyToSend, ToSend, QueuePairAttributes.Timeout },
        { Type.UnreliableDatagram, State.Reset, State.Init, DatagramToInit, QueuePairAttributes.AccessFlags },
        { Type.UnreliableDatagram, State.Init, State.ReadyToReceive, Named, AddressVector },
        { Type.UnreliableDatagram, State.ReadyToReceive, State.ReadyToSend, ToSend, RnrRetry },
    };

    [Theory]
    [MemberData(nameof(Steps))]
    public void EachStepNeedsEveryOneOfItsAttributes(Type type, State from, State to, QueuePairAttributes mask, QueuePairAttributes foreign)
    {
        Assert.True(QueuePairTransitions.IsAllowed(type, from, to, mask));
        Assert.False(QueuePairTransitions.IsAllowed(type, from, to, mask | foreign), $"{from} to {to} with {foreign}");
        foreach (var attribute in Enum.GetValues<QueuePairAttributes>().Where(each => each != None && each != Named && mask.HasFlag(each)))
            Assert.False(QueuePairTransitions.IsAllowed(type, from, to, mask & ~attribute), $"{from} to {to} without {attribute}");
    }

    [Theory]
    [InlineData(Type.ReliableConnection, true)]
    [InlineData(Type.UnreliableConnection, false)]
    public void APathNamesItsPortToo(Type type, bool mayTakeAnother)
    {
        var drained = QueuePairChecks.WithPortOfPath(new ModifyQpCommand { AttrMask = (uint)AddressVector, Dest = new QpDestination { PortNum = 1 } });
        Assert.Equal((AddressVector | Port, (byte)1), ((QueuePairAttributes)drained.AttrMask, drained.PortNum));
        Assert.Equal(mayTakeAnother, QueuePairTransitions.IsAllowed(type, State.SendQueueDrain, State.SendQueueDrain, (QueuePairAttributes)drained.AttrMask));
        var receiving = QueuePairChecks.WithPortOfPath(new ModifyQpCommand { AttrMask = (uint)ToReceive, QpState = (byte)State.ReadyToReceive });
        Assert.Equal(ToReceive, (QueuePairAttributes)receiving.AttrMask);
    }

    [Theory]
    [InlineData(State.Reset, State.ReadyToReceive)]
    [InlineData(State.Reset, State.ReadyToSend)]
    [InlineData(State.Reset, State.Error)]
    [InlineData(State.Init, State.ReadyToSend)]
    [InlineData(State.ReadyToSend, State.Init)]
    [InlineData(State.ReadyToSend, State.ReadyToReceive)]
    [InlineData(State.ReadyToReceive, State.SendQueueDrain)]
    [InlineData(State.Error, State.ReadyToSend)]
    [InlineData(State.Error, State.Init)]
    public void NoStepIsLeftOut(State from, State to)
    {
        foreach (var type in Enum.GetValues<Type>())
        {
            foreach (var mask in s_masks)
                Assert.False(QueuePairTransitions.IsAllowed(type, from, to, mask));
        }
    }

    [Theory]
    [InlineData(Type.ReliableConnection)]
    [InlineData(Type.UnreliableConnection)]
    [InlineData(Type.UnreliableDatagram)]
    public void ResetAndErrorCanBeReachedFromAllTheOthers(Type type)
    {
        foreach (var from in Enum.GetValues<State>().Where(state => state != State.Reset))
        {
            Assert.True(QueuePairTransitions.IsAllowed(type, from, State.Reset, Named));
            Assert.True(QueuePairTransitions.IsAllowed(type, from, State.Error, Named));
            Assert.False(QueuePairTransitions.IsAllowed(type, from, State.Error, Named | Port));
        }
    }

    [Fact]
    public void ADatagramQpMayGetAnotherQkeyWhileItRuns()
    {
        Assert.True(QueuePairTransitions.IsAllowed(Type.UnreliableDatagram, State.ReadyToSend, State.ReadyToSend, Qkey));
        Assert.True(QueuePairTransitions.IsAllowed(Type.UnreliableDatagram, State.SendQueueDrain, State.SendQueueDrain, Qkey | PkeyIndex));
        Assert.False(QueuePairTransitions.IsAllowed(Type.UnreliableConnection, State.ReadyToSend, State.ReadyToSend, Qkey));
    }

    [Theory]
    [InlineData(State.Reset, false)]
    [InlineData(State.Init, false)]
    [InlineData(State.ReadyToReceive, true)]
    [InlineData(State.ReadyToSend, true)]
    public void TheCurrentStateIsNamedFromRtrOn(State from, bool allowed) => Assert.Equal(
        allowed, QueuePairTransitions.IsAllowed(Type.UnreliableDatagram, from, State.ReadyToSend, ToSend & (from == State.ReadyToSend ? Named : ToSend) | CurrentState));
}
