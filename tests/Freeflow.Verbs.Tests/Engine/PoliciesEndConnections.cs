using System.Net;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Policy;
using Freeflow.Verbs.Testbed;

namespace Freeflow.Verbs.Tests.Engine;

/// <summary>Whoever may not talk any more is told at once, at both ends, and others go on.</summary>
public sealed class PoliciesEndConnections : TwoEngines
{
    private const string Ours = "10.1.0.1";
    private const string Theirs = "10.2.0.1";
    private const string Others = "10.2.0.2";

    /// <summary>The tenant of ours may talk to nobody but the others.</summary>
    private static readonly AccessPolicy s_apart = new(
        [new PolicyTenant("one", [AddressRange.Of(IPAddress.Parse("10.1.0.0"), 16)], true, PolicyLimits.None, PolicyLimits.None)],
        [new PolicyRule("1", [PolicySubject.Anybody], [new PolicySubject(null, AddressRange.Of(IPAddress.Parse(Others), 32))], [], PolicyMode.Rdma)],
        [],
        PolicyLimits.None);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WithWhatIsPostedFlushed(bool isLocal)
    {
        var there = isLocal ? Here : There;
        using var one = Application(Here, Ours);
        using var other = Application(there, Theirs);
        EngineApplication.Connect(one, other);
        one.PostReceive(0, 100, id: 8);
        other.PostReceive(0, 100, id: 9);
        Here.Engine.SetPolicy(s_apart);
        there.Engine.SetPolicy(s_apart);
        foreach (var (ended, id) in new[] { (one, 8UL), (other, 9UL) })
        {
            var flushed = ended.Take();
            Assert.Equal((id, WorkCompletionStatus.WorkRequestFlushError), (flushed.WorkRequestId, flushed.Status));
            Assert.Equal(QueuePairState.Error, ended.QueuePair.State);
        }

        Assert.Contains((one.QueuePair.Number, QueuePairFault.AccessViolation), Here.Failures);
        Assert.Contains((other.QueuePair.Number, QueuePairFault.AccessViolation), there.Failures);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AlsoWhereOneRouterOnlyKnows(bool isLocal)
    {
        var there = isLocal ? Here : There;
        using var one = Application(Here, Ours);
        using var other = Application(there, Theirs);
        EngineApplication.Connect(one, other, timeout: 8, retries: 1);
        there.Engine.SetPolicy(s_apart);
        AwaitError(other.QueuePair);
        one.Post(WorkRequestOpcode.RdmaWrite, 0, 100, other, id: 4);
        var failed = one.Take();
        Assert.Equal(4UL, failed.WorkRequestId);
        Assert.NotEqual(WorkCompletionStatus.Success, failed.Status);
    }

    [Fact]
    public void OthersGoOn()
    {
        using var one = Application(Here, Ours);
        using var other = Application(There, Others);
        EngineApplication.Connect(one, other);
        Here.Engine.SetPolicy(s_apart);
        There.Engine.SetPolicy(s_apart);
        one.Post(WorkRequestOpcode.RdmaWrite, 0, 100, other);
        Assert.Equal(WorkCompletionStatus.Success, one.Take().Status);
        other.Post(WorkRequestOpcode.RdmaWrite, 0, 100, one);
        Assert.Equal(WorkCompletionStatus.Success, other.Take().Status);
        Assert.Empty(Here.Failures);
    }

    [Fact]
    public void WhoConnectsByAnOlderOneFailsLikewise()
    {
        using var one = Application(Here, Ours);
        using var other = Application(Here, Theirs);
        Here.Engine.SetPolicy(s_apart);
        EngineApplication.Connect(one, other);
        Assert.Equal(QueuePairState.Error, one.QueuePair.State);
        Assert.Contains((one.QueuePair.Number, QueuePairFault.AccessViolation), Here.Failures);
    }

    private static EngineApplication Application(EngineSite site, string address)
    {
        var application = new EngineApplication(site, address);
        application.Connection.Port = new EnginePort(Freeflow.Verbs.Containers.Tenant.Default.Key, [application.Gid], 4096);
        return application;
    }
}
