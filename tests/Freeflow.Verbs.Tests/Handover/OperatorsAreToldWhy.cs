using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

public sealed class OperatorsAreToldWhy : PairTest
{
    private const int Port = 80;
    private const int NeverPort = 81;
    private const int SecondPort = 82;

    private static readonly ulong s_default = Tenant.Default.Key;

    protected override HandoverOptions AdjustClient(HandoverOptions options) => options with
    {
        Never = new HashSet<Destination> { new(Addresses.Of(HandoverPair.ServerAddress), NeverPort) },
    };

    [Fact]
    public void AsTheRouteItselfWouldBeJudged()
    {
        using var server = Pair.Listen(Port);
        Application.Await(Application.Resolve(HandoverPair.ServerAddress, Port), PlainReason.None);
        var verdict = Explain(HandoverPair.ClientAddress, HandoverPair.ServerAddress, Port);
        Assert.Equal((PlainReason.None, Port, 1), (verdict.Reason, verdict.Port, verdict.Processes));
        Assert.Equal([Port], verdict.Listeners);
        Assert.Equal(PlainReason.NoListener, Explain(HandoverPair.ClientAddress, HandoverPair.ServerAddress, SecondPort).Reason);
        Assert.Equal(PlainReason.Configured, Explain(HandoverPair.ClientAddress, HandoverPair.ServerAddress, NeverPort).Reason);
        Assert.Equal(PlainReason.OwnAddress, Explain(HandoverPair.ClientAddress, HandoverPair.ClientAddress, Port).Reason);
        Assert.Equal(PlainReason.NoOwner, Explain(HandoverPair.ClientAddress, "10.244.9.9", Port).Reason);
        Pair.ClientSite.Loop.Distrust(Pair.Client);
        Assert.Equal(PlainReason.Privileged, Explain(HandoverPair.ClientAddress, HandoverPair.ServerAddress, Port).Reason);
    }

    [Fact]
    public void WithoutAPortForTheBestOfThem()
    {
        var none = Explain(HandoverPair.ClientAddress, HandoverPair.ServerAddress, 0);
        Assert.Equal((PlainReason.NoListener, 0), (none.Reason, none.Port));
        using var never = Pair.Listen(NeverPort);
        using var second = Pair.Listen(SecondPort);
        Application.Await(Application.Resolve(HandoverPair.ServerAddress, SecondPort), PlainReason.None);
        var verdict = Explain(HandoverPair.ClientAddress, HandoverPair.ServerAddress, 0);
        Assert.Equal((PlainReason.None, SecondPort), (verdict.Reason, verdict.Port));
        Assert.Equal([NeverPort, SecondPort], verdict.Listeners);
    }

    [Fact]
    public void WhoseSourceNobodyHereHas()
    {
        var stranger = Explain("10.244.1.99", HandoverPair.ServerAddress, Port);
        Assert.Equal((null, PlainReason.Source), (stranger.Container, stranger.Reason));
        Assert.Equal(PlainReason.Source, Explain(HandoverPair.ClientAddress, HandoverPair.ServerAddress, Port, new Tenant("other").Key).Reason);
    }

    [Fact]
    public void WhichDestinationsProcessesWereToldOf()
    {
        using var server = Pair.Listen(Port);
        Application.Await(Application.Resolve(HandoverPair.ServerAddress, Port), PlainReason.None);
        _ = Application.Resolve("10.244.9.9", Port);
        using var another = new HandoverApplication(Pair.ClientSite, Pair.Client);
        _ = another.Resolve("10.244.9.9", Port);
        var seen = EngineApplication.Ask<DestinationsSeen>(done => Pair.ClientSite.Loop.ListDestinations(100, done));
        Assert.Equal((3, 3), (seen.Total, seen.Looked));
        Assert.Equal(2, Assert.Single(seen.Destinations, entry => entry.Key.Reason == PlainReason.NoOwner).Value);
        Assert.Equal(Port, Assert.Single(seen.Destinations, entry => entry.Key.Reason == PlainReason.None).Key.Port);
        var few = EngineApplication.Ask<DestinationsSeen>(done => Pair.ClientSite.Loop.ListDestinations(1, done));
        Assert.Equal((3, 1, 1), (few.Total, few.Looked, few.Destinations.Count));
    }

    private TcpVerdict Explain(string source, string destination, int port, ulong? tenant = null) => EngineApplication.Ask<TcpVerdict>(
        done => Pair.ClientSite.Loop.Explain(tenant ?? s_default, Addresses.Of(source), new Destination(Addresses.Of(destination), port), done));
}
