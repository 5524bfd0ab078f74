using System.Diagnostics;
using Akka.Actor;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Tracing;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Tests.Tracing;

[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TracingCollection
{
    public const string Name = "who listens to spans";
}

[Collection(TracingCollection.Name)]
public sealed class CallsAreSpans
{
    private static readonly CallOrigin s_origin = new("4026531840", "blue", 17);

    private readonly List<Activity> _ended = [];

    [Fact]
    public void WhileNobodyListensTheyCostNothing()
    {
        void Call()
        {
            var span = ControlTrace.Call(UverbsCommand.CreateQp, s_origin);
            span.With("number", 5).End(Errno.EINVAL);
            Assert.Equal(default, span.Or(default));
        }

        Call();
        const int Calls = 10_000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Calls; i++)
            ControlTrace.Call(UverbsCommand.CreateQp, s_origin).With("number", 5).End(Errno.EINVAL);
        // The runtime's own, when it puts better code in a method's place, is a few thousand bytes once.
        Assert.Equal(0, (GC.GetAllocatedBytesForCurrentThread() - before) / Calls);
        Assert.False(ControlTrace.IsOn);
    }

    [Fact]
    public void ACallSaysWhoseItIsAndWhatCameOfIt()
    {
        using var listening = Listen();
        ControlTrace.Call(UverbsCommand.CreateQp, s_origin).End(Errno.ENOMEM);
        ControlTrace.Call(RdmaCmCommand.ResolveAddr, s_origin).End(0);
        Assert.Equal(["uverbs/create_qp", "rdma_cm/resolve_addr"], _ended.Select(span => span.OperationName));
        Assert.All(_ended, span => Assert.Equal(ActivityKind.Server, span.Kind));
        Assert.Equal(
            [("rpc.system", "freeflow"), ("rpc.service", "uverbs"), ("rpc.method", "create_qp"), ("freeflow.container", "4026531840"), ("freeflow.tenant", "blue"), ("freeflow.pid", 17),
                ("error.type", "ENOMEM"), ("freeflow.errno", 12)],
            _ended[0].TagObjects.Select(tag => (tag.Key, tag.Value!)));
        Assert.Equal((ActivityStatusCode.Error, "ENOMEM"), (_ended[0].Status, _ended[0].StatusDescription));
        Assert.Equal(ActivityStatusCode.Unset, _ended[1].Status);
        Assert.Null(_ended[1].GetTagItem("error.type"));
    }

    [Theory]
    [InlineData(UverbsCommand.PostSend)]
    [InlineData(UverbsCommand.ReqNotifyCq)]
    public void WhatBelongsToTheDataPathIsNone(UverbsCommand command)
    {
        using var listening = Listen();
        ControlTrace.Call(command, s_origin).End(0);
        ControlTrace.Call(RdmaCmCommand.GetEvent, s_origin).End(Errno.EAGAIN);
        Assert.Empty(_ended);
    }

    [Fact]
    public void ANumberThatIsNoCommandHasNoNameOfItsOwn()
    {
        using var listening = Listen();
        ControlTrace.Call((UverbsCommand)250, s_origin).End(Errno.EOPNOTSUPP);
        Assert.Equal("uverbs/unknown", Assert.Single(_ended).OperationName);
    }

    /// <summary>Actors share threads: what one of them has left is no parent of another's span.</summary>
    [Fact]
    public void CallsHaveNothingToDoWithWhatTheirThreadDidBefore()
    {
        using var listening = Listen();
        using var other = new Activity("other").Start();
        var span = ControlTrace.Call(UverbsCommand.RegMr, s_origin);
        Assert.Null(Activity.Current);
        span.End(0);
        Assert.Null(Activity.Current);
        Assert.Equal(default, Assert.Single(_ended).ParentSpanId);
    }

    [Fact]
    public void AMessageIsBelowWhatItWasSentFor()
    {
        using var listening = Listen();
        var call = ControlTrace.Call(RdmaCmCommand.Connect, s_origin);
        var message = new CommunicationProtocol.Reject(8, []).For(call.Or(default));
        ControlTrace.Message(message, ActorRefs.Nobody).End(0);
        call.End(0);
        Assert.Equal(["rdma_cm/REJ", "rdma_cm/connect"], _ended.Select(span => span.OperationName));
        Assert.Equal((_ended[1].SpanId, _ended[1].TraceId, ActivityKind.Consumer), (_ended[0].ParentSpanId, _ended[0].TraceId, _ended[0].Kind));
    }

    /// <summary>A router that records nothing passes on what the others do.</summary>
    [Fact]
    public void WithoutASpanTheCauseIsPassedOn()
    {
        var cause = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded, isRemote: true);
        Assert.Equal(cause, ControlTrace.Message(new CommunicationProtocol.Ready().For(cause), ActorRefs.Nobody).Or(cause));
    }

    private ActivityListener Listen()
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == ControlTrace.SourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Add,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
