using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.RdmaCm;

/// <summary>A process, a listener or a router dies, or stands still: the other end is told as rdma_cm tells it, and nothing is left.</summary>
public sealed class ConnectionsWhoseEndsDie(BreakableLab lab) : IClassFixture<BreakableLab>
{
    private const string ForEver = "100000000";
    private const string Ends = "DISCONNECT EVENT|cq completion failed status 1[0-2]";
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_routerTime = TimeSpan.FromSeconds(40);

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void NobodyListens(Placement placement)
    {
        var pair = new CmPair(lab, placement);
        // An address is known once its container has had to do with RDMA.
        Assert.Equal(0, lab.Hosts.Exec(pair.ServerNode, s_soon, "ibv_devinfo").ExitCode);
        var client = pair.Ask(s_soon, "rping", "-c", "-a", "ADDRESS", "-C", "1");
        Assert.NotEqual(0, client.ExitCode);
        Assert.Contains("RDMA_CM_EVENT_REJECTED, error 8", client.Everything);
    }

    [Fact]
    public void NobodyHasTheAddress()
    {
        var client = lab.Hosts.Exec("h1c1", s_soon, "rping", "-c", "-a", "10.244.9.9", "-C", "1");
        Assert.NotEqual(0, client.ExitCode);
        Assert.Contains("RDMA_CM_EVENT_ADDR_ERROR, error -110", client.Everything);
    }

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void TheServersProcess(Placement placement)
    {
        using var bystanders = new Bystanders(lab, "h2c2", "h1c3");
        var pair = new CmPair(lab, placement);
        using var server = pair.Listen("rping", "-s", "-C", ForEver);
        using var client = Connect(pair);
        KillIn(pair.ServerNode, "KILL");
        var ended = client.Wait(s_soon);
        Assert.NotEqual(124, ended.ExitCode);
        // Its connection manager tells it, or a QP whose peer has gone, whichever comes first.
        Assert.Matches(Ends, ended.Everything);
        bystanders.MustBeWell();
        Holdings.MustVanish(lab, "h1");
        Holdings.MustVanish(lab, "h2");
    }

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void TheClientsProcess(Placement placement)
    {
        var pair = new CmPair(lab, placement);
        using var server = pair.Listen("rping", "-s", "-C", ForEver);
        using var client = Connect(pair);
        KillIn(pair.ClientNode, "KILL");
        var ended = server.Wait(s_soon);
        Assert.NotEqual(124, ended.ExitCode);
        // Its connection manager tells it, or a QP whose peer, or whose peer's memory, has gone, whichever comes first.
        Assert.Matches(Ends, ended.Everything);
        Holdings.MustVanish(lab, "h1");
        Holdings.MustVanish(lab, "h2");
    }

    /// <summary>Who waits for an answer that does not come waits on, does nobody harm, and is refused when the other dies.</summary>
    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void AListenerThatStandsStill(Placement placement)
    {
        using var bystanders = new Bystanders(lab, "h2c2", "h1c3");
        var pair = new CmPair(lab, placement);
        using var server = pair.Listen("rping", "-s", "-C", ForEver);
        KillIn(pair.ServerNode, "STOP");
        var before = Requests(pair.ServerNode);
        using var client = lab.Hosts.Start(pair.ClientNode, ["rping", "-c", "-a", pair.ServerAddress, "-C", ForEver]);
        WaitFor.That("the request", s_soon, () => Requests(pair.ServerNode) > before);
        // Nothing tells that nothing comes: longer than any router's own bound for an answer.
        Thread.Sleep(3000);
        Assert.False(client.HasExited, "the client has ended before its time");
        KillIn(pair.ServerNode, "KILL");
        var ended = client.Wait(s_soon);
        Assert.Contains("RDMA_CM_EVENT_REJECTED, error 28", ended.Everything);
        bystanders.MustBeWell();
    }

    [Fact]
    public void ARouter()
    {
        const string killed = "h2";
        var pair = new CmPair(lab, Placement.AcrossHosts);
        using var server = pair.Listen("rping", "-s", "-C", ForEver);
        using var client = Connect(pair);
        lab.Hosts.Routers.Kill(killed);
        foreach (var end in new[] { client.Wait(s_routerTime), server.Wait(s_routerTime) })
            Assert.NotEqual(124, end.ExitCode);
        lab.StartRouter(killed);
        new CmPair(lab, Placement.AcrossHosts).Run(TimeSpan.FromSeconds(20), ["rping", "-s", "-C", "10"], ["rping", "-c", "-a", "ADDRESS", "-C", "10"]);
        Holdings.MustVanish(lab, "h1");
        Holdings.MustVanish(lab, "h2");
    }

    private long Requests(string node) => lab.Status(node[..2]).GetProperty("RdmaCm").GetProperty("Requests").GetInt64();

    /// <summary>Starts a client, and waits until both ends are connected and its work goes through its router.</summary>
    private BackgroundProgram Connect(CmPair pair)
    {
        string[] hosts = [.. new[] { pair.ServerNode[..2], pair.ClientNode[..2] }.Distinct()];
        long Established() => hosts.Sum(host => lab.Status(host).GetProperty("RdmaCm").GetProperty("Established").GetInt64());
        var before = Established();
        var client = lab.Hosts.Start(pair.ClientNode, ["rping", "-c", "-a", pair.ServerAddress, "-C", ForEver]);
        WaitFor.That("both ends connected", s_soon, () => Established() >= before + 2);
        Metrics.AwaitMessages(lab, pair.ClientNode, 100);
        return client;
    }

    private void KillIn(string node, string signal)
    {
        var pid = lab.Hosts.ProcessesIn(node).Single(process => process.Name == "rping").Pid;
        LabProcesses.Kill(pid, signal);
    }
}
