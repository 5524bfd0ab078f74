using System.Text.Json;
using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Command;

[Trait("Tier", "All")]
public sealed class RoutersAreDrained : IClassFixture<BreakableLab>, IDisposable
{
    private const string Host = "h2";
    private const string Server = "h2c1";
    private const string Client = "h1c1";
    private const int TcpPort = 5232;

    private readonly LabFixture _lab;
    private readonly FreeflowCommand _freeflow;

    public RoutersAreDrained(BreakableLab lab) => (_lab, _freeflow) = (lab, new FreeflowCommand(lab));

    public void Dispose()
    {
        if (_lab.Hosts.Routers.PidOf(Host) is null)
            _lab.StartRouter(Host);
        else
            _freeflow.Run(Host, "drain", "--undo");
    }

    [Fact]
    public void WhatThereIsGoesOnAndNothingNewComes()
    {
        var acceleration = new Acceleration(_lab, Client, Server);
        using var tcpServer = _lab.StartListening(Server, TcpPort, "iperf3", "-s", "-p", $"{TcpPort}");
        acceleration.AwaitListener(TcpPort);
        using (_lab.StartListening(Server, 18515, "ib_send_bw", "--run_infinitely"))
        using (_lab.Hosts.Start(Client, "ib_send_bw", "--run_infinitely", LabFixture.AddressOf(Server)))
        {
            WaitFor.That("a QP that sends", FreeflowCommand.Bound, () => Sends() > 0);
            var left = _freeflow.Run(Host, "drain", "--within", "1");
            Assert.True(left.ExitCode == 1, left.Everything);
            Assert.Contains("QPs and 0 relayed connections are left", left.Output);
            Assert.Contains("the router goes on draining", left.Errors);
            var sends = Sends();
            WaitFor.That("more sends of the QP that was there", FreeflowCommand.Bound, () => Sends() != sends);
            Assert.Contains("draining", Ready());
            using var refused = _lab.StartListening("h2c2", 18516, "ibv_rc_pingpong", "-p", "18516");
            Assert.NotEqual(0, _lab.Hosts.Exec("h1c2", FreeflowCommand.Bound, "ibv_rc_pingpong", "-p", "18516", LabFixture.AddressOf("h2c2")).ExitCode);
            WaitFor.That("h1's clients plain, since the listener's router drains", FreeflowCommand.Bound,
                () => _freeflow.Run("h1", "explain", LabFixture.AddressOf(Client), $"{LabFixture.AddressOf(Server)}:{TcpPort}", "--mode", "tcp").ExitCode == 1);
            var tcp = _lab.Hosts.Exec(Client, FreeflowCommand.Bound, "iperf3", "-c", LabFixture.AddressOf(Server), "-p", $"{TcpPort}", "-n", "1M");
            Assert.True(tcp.ExitCode == 0, tcp.Everything);
            Assert.Contains("this host's router takes new connections", _freeflow.Run(Host, "explain", LabFixture.AddressOf(Server), LabFixture.AddressOf(Client)).Output);
        }

        var drained = _freeflow.Run(Host, "drain", "--json");
        Assert.True(drained.ExitCode == 0, drained.Everything);
        Assert.True(JsonSerializer.Deserialize<JsonElement>(drained.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]).GetProperty("IsDone").GetBoolean());
        Assert.Equal("the router serves again\n", _freeflow.Text(Host, "drain", "--undo"));
        Assert.Equal("ok", Ready());
        new ProgramPair(_lab, Placement.AcrossHosts).Run(FreeflowCommand.Bound, "ibv_rc_pingpong", "-n", "10");
        WaitFor.That("the listener accelerated again", FreeflowCommand.Bound,
            () => _freeflow.Run("h1", "explain", LabFixture.AddressOf(Client), $"{LabFixture.AddressOf(Server)}:{TcpPort}", "--mode", "tcp").ExitCode == 0);
        Assert.Subset(Names(), new HashSet<string> { "router-draining", "router-drained", "router-serves-again" });
    }

    [Fact]
    public void ADrainedRouterLeavesItsClusterWhenToldTo()
    {
        Assert.Contains("it leaves the cluster and ends", _freeflow.Text(Host, "drain", "--leave"));
        WaitFor.That("the end of the router", FreeflowCommand.Bound, () => _lab.Hosts.Routers.PidOf(Host) is null);
        WaitFor.That("one member at h1", FreeflowCommand.Bound, () => _freeflow.Json("h1", "members").GetProperty("Members").GetArrayLength() == 1);
        Assert.DoesNotContain("member-given-up", _freeflow.Text("h1", "events"));
    }

    [Fact]
    public void LeavingAndServingAgainExcludeEachOther() => Assert.Equal(2, _freeflow.Run("h1", "drain", "--undo", "--leave").ExitCode);

    private HashSet<string> Names() =>
        [.. _freeflow.Json(Host, "events").GetProperty("Events").EnumerateArray().Select(each => each.GetProperty("Name").GetString()!)];

    private uint Sends() => _freeflow.Json("h1", "qps").GetProperty("QueuePairs").EnumerateArray().Select(entry => entry.GetProperty("QueuePair").GetProperty("Sends").GetUInt32()).Max();

    private string Ready() => _lab.Hosts.Exec(Host, FreeflowCommand.Bound, "curl", "-sS", "-m", "20", "http://127.0.0.1:4484/readyz").Output.Trim();
}
