using System.Diagnostics;
using System.Runtime.Serialization;
using Akka.Actor;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Serialization;
using Freeflow.Actors.Tracing;

namespace Freeflow.Actors.Tests.Serialization;

public sealed class TraceContextsTravelBehindMessages : ActorTest
{
    private static readonly CommunicationProtocol.Reject s_message = new(8, [1, 2, 3]);
    private static readonly ActivityContext s_cause =
        new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);

    private HyperionMessageSerializer Serializer => field ??= new((ExtendedActorSystem)Sys);

    [Fact]
    public void TheContextComesBackAsItWent()
    {
        var back = Read(Bytes(s_message.For(s_cause)));
        Assert.Equal((s_cause.TraceId, s_cause.SpanId, s_cause.TraceFlags, true), (back.Cause.TraceId, back.Cause.SpanId, back.Cause.TraceFlags, back.Cause.IsRemote));
        Assert.Equal((8, 3), (back.Reason, back.PrivateData.Length));
    }

    /// <summary>So a router that knows nothing of contexts reads the same message, with and without one.</summary>
    [Fact]
    public void TheMessageItselfIsTheSameWithAndWithoutOne()
    {
        var (without, with) = (Bytes(s_message), Bytes(s_message.For(s_cause)));
        Assert.Equal(without, with[..without.Length]);
        Assert.Equal(TraceParent.Bytes, with.Length - without.Length);
        Assert.Equal(default, Read(without).Cause);
    }

    [Fact]
    public void WhatElseStandsThereIsNoContextOrNoMessage()
    {
        var random = new Random(3);
        var without = Bytes(s_message);
        for (var i = 0; i < 200; i++)
        {
            var end = new byte[random.Next(2 * TraceParent.Bytes)];
            random.NextBytes(end);
            if (end.Length == TraceParent.Bytes)
                end[0] = (byte)random.Next(1, 256);
            if (end.Length is 0 or TraceParent.Bytes)
            {
                var back = Read([.. without, .. end]);
                Assert.Equal((default, (byte)8), (back.Cause, back.Reason));
            }
            else
            {
                Assert.Throws<SerializationException>(() => Read([.. without, .. end]));
            }
        }
    }

    [Theory]
    [InlineData(1, 16)]
    [InlineData(17, 8)]
    public void AContextOfZerosIsNone(int from, int length)
    {
        var bytes = Bytes(s_message.For(s_cause));
        bytes.AsSpan(bytes.Length - TraceParent.Bytes + from, length).Clear();
        Assert.Equal(default, Read(bytes).Cause);
    }

    [Fact]
    public void FlagsThatThereAreNotAreLeftOut()
    {
        var bytes = Bytes(s_message.For(s_cause));
        bytes[^1] = 0xfe;
        Assert.Equal(ActivityTraceFlags.None, Read(bytes).Cause.TraceFlags);
    }

    private byte[] Bytes(CommunicationProtocol.Reject message) => Serializer.ToBinary(message);

    private CommunicationProtocol.Reject Read(byte[] bytes) => Assert.IsType<CommunicationProtocol.Reject>(Serializer.FromBinary(bytes, typeof(CommunicationProtocol.Reject)));
}
