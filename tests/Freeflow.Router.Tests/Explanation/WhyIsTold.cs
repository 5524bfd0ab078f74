using System.Net;
using Freeflow.Actors.Peers;
using Freeflow.Router.Commands;
using Freeflow.Router.Explanation;
using Freeflow.Verbs.Handover;

namespace Freeflow.Router.Tests.Explanation;

public sealed class WhyIsTold
{
    private static readonly RouterFacts s_own = new("192.168.50.1:4480", true, true, true, null);
    private static readonly RouterFacts s_other = new("192.168.50.2:4480", false, true, true, LinkState.Up);

    private static readonly ConnectionFacts s_good = new()
    {
        Source = IPAddress.Parse("10.244.1.11"),
        Destination = IPAddress.Parse("10.244.2.11"),
        Port = 5201,
        Tenant = "default",
        SourceRouter = s_own,
        DestinationRouter = s_other,
        Tcp = new TcpVerdict("4026532001", 2, 5201, PlainReason.None, [5201]),
    };

    [Fact]
    public void WhatIsAcceleratedHoldsAtEachStep()
    {
        var answer = Explainer.Explain(s_good);
        Assert.True(answer.Tcp.Accelerated && answer.Rdma.Accelerated);
        Assert.All([.. answer.Both, .. answer.Tcp.Steps, .. answer.Rdma.Steps], step => Assert.True(step.Holds));
        Assert.Equal(1 + TcpVerdict.Steps.Count, answer.Tcp.Steps.Count);
    }

    [Fact]
    public void WithinAHostNoLinkIsNeeded()
    {
        var answer = Explainer.Explain(s_good with { DestinationRouter = s_own });
        Assert.True(answer.Tcp.Accelerated && answer.Rdma.Accelerated);
        Assert.Contains("within a host", Said(answer));
    }

    public static TheoryData<string, ConnectionFacts> WithoutEither => new()
    {
        { "a router has the source address", s_good with { SourceRouter = null, Tenant = null } },
        { "ask the router at 192.168.50.2:4480", s_good with { SourceRouter = s_other } },
        { "a router has the destination address", s_good with { DestinationRouter = null } },
        { "only for blue", s_good with { DestinationRouter = null, OtherTenants = ["blue"] } },
        { "it is no member that is up", s_good with { DestinationRouter = s_other with { IsMember = false } } },
        { "the cluster does not hear it", s_good with { DestinationRouter = s_other with { IsReachable = false } } },
    };

    [Theory]
    [MemberData(nameof(WithoutEither), DisableDiscoveryEnumeration = true)]
    public void WhatEndsBothEndsTheStepsToo(string expected, ConnectionFacts facts)
    {
        var answer = Explainer.Explain(facts);
        Assert.False(answer.Tcp.Accelerated || answer.Rdma.Accelerated);
        Assert.Single(answer.Both, step => !step.Holds);
        Assert.False(answer.Both[^1].Holds);
        Assert.Contains(expected, Said(answer));
    }

    [Fact]
    public void EachReasonOfTcpModeIsTheLastStep()
    {
        foreach (var reason in TcpVerdict.Steps)
        {
            var answer = Explainer.Explain(s_good with { Tcp = s_good.Tcp! with { Reason = reason } });
            Assert.False(answer.Tcp.Accelerated);
            Assert.True(answer.Rdma.Accelerated);
            Assert.False(answer.Tcp.Steps[^1].Holds);
            Assert.Single(answer.Tcp.Steps, step => !step.Holds);
        }
    }

    [Fact]
    public void EveryReasonThatAConnectionMayBePlainForFromTheStartIsAStep() => Assert.Equal(
        Enum.GetValues<PlainReason>().Where(reason => reason is not (PlainReason.None or PlainReason.NoPorts or PlainReason.Limit) && (int)reason < 32).Order(),
        TcpVerdict.Steps.Order());

    [Fact]
    public void AReasonThatIsNoStepIsNoAcceleration() =>
        Assert.False(Explainer.Explain(s_good with { Tcp = s_good.Tcp! with { Reason = PlainReason.Limit } }).Tcp.Accelerated);

    [Fact]
    public void TcpModeIsOverIpv4()
    {
        var answer = Explainer.Explain(s_good with { Destination = IPAddress.Parse("fd00::1"), Tcp = null });
        Assert.False(answer.Tcp.Accelerated);
        Assert.True(answer.Rdma.Accelerated);
        Assert.Contains("NO   both addresses are IPv4", Said(answer));
    }

    [Fact]
    public void ALinkThatIsDownIsSaidWithItsReason()
    {
        var answer = Explainer.Explain(s_good with { DestinationRouter = s_other with { Data = new LinkState(false, "closed by the peer") } });
        Assert.False(answer.Rdma.Accelerated);
        Assert.Contains("closed by the peer", Said(answer));
    }

    [Theory]
    [InlineData("10.244.1.11", "10.244.1.11", 0)]
    [InlineData("10.244.1.11:80", "10.244.1.11", 80)]
    [InlineData("fd00::1", "fd00::1", 0)]
    [InlineData("[fd00::1]:80", "fd00::1", 80)]
    public void AddressesWithAndWithoutAPort(string text, string address, int port) =>
        Assert.Equal(new IPEndPoint(IPAddress.Parse(address), port), ExplainCommand.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("h1c1")]
    [InlineData("10.244")]
    [InlineData("10.244.1.11:99999")]
    [InlineData("10.244.1.011")]
    [InlineData("10.244.1.11:http")]
    public void AndWhatIsNone(string text) => Assert.Null(ExplainCommand.Parse(text));

    private static string Said(ExplainAnswer answer)
    {
        var output = new StringWriter();
        ExplainCommand.Write(answer, output);
        return output.ToString();
    }
}
