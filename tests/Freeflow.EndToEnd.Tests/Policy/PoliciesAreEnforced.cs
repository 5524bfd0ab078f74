using Freeflow.EndToEnd.Tests.Command;
using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.EndToEnd.Tests.RdmaCm;
using Freeflow.EndToEnd.Tests.Tcp;
using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Policy;

/// <summary>Two tenants, one on each of two addresses, and real programs between them.</summary>
[Trait("Tier", "All")]
public sealed class PoliciesAreEnforced(LabFixture lab) : IClassFixture<LabFixture>
{
    private const string Client = "h1c2";
    private const int Port = 5223;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    private readonly FreeflowCommand _freeflow = new(lab);

    [Theory]
    [InlineData("h2c2")]
    [InlineData("h1c1")]
    public void QueuePairsOfStrangersAreNotConnected(string server)
    {
        using var policy = new LabPolicy(lab);
        policy.Put(Apart(server));
        var refused = Perftest(server);
        Assert.True(refused.ExitCode is not 0 and not 124, refused.Everything);
        Explained(server, 1, "RDMA: not possible", "NO   the policy allows it (no rule allows it from tenant one to tenant two)");

        policy.Put(Apart(server) + "allow = [ { name = \"a friend\", from = two, to = one, mode = rdma } ]");
        var allowed = Perftest(server);
        Assert.True(allowed.ExitCode == 0, allowed.Everything);
        Explained(server, 0, "RDMA: possible", "yes  the policy allows it (rule \"a friend\" (line 2))");
    }

    [Fact]
    public void NorAreConnectionsOfRdmaCmWhateverTheirPort()
    {
        const string server = "h2c2";
        using var policy = new LabPolicy(lab);
        policy.Put(Apart(server));
        using (new CmPair(lab, server, Client).Listen("rping", "-s", "-C", "3", "-p", "7174"))
        {
            var refused = lab.Hosts.Exec(Client, s_bound, "rping", "-c", "-a", LabFixture.AddressOf(server), "-p", "7174", "-C", "3");
            Assert.True(refused.ExitCode is not 0 and not 124, refused.Everything);
            Assert.Contains("RDMA_CM_EVENT_ADDR_ERROR, error -13", refused.Everything);

            // Another port: the address resolves, and the connection is refused.
            policy.Put(Apart(server) + "allow = [ { from = one, to = two, ports = 7175 } ]");
            refused = lab.Hosts.Exec(Client, s_bound, "rping", "-c", "-a", LabFixture.AddressOf(server), "-p", "7174", "-C", "3");
            Assert.True(refused.ExitCode is not 0 and not 124, refused.Everything);
            Assert.Contains("RDMA_CM_EVENT_UNREACHABLE, error -13", refused.Everything);

            // The server's router alone refuses.
            policy.Put("h1", "");
            refused = lab.Hosts.Exec(Client, s_bound, "rping", "-c", "-a", LabFixture.AddressOf(server), "-p", "7174", "-C", "3");
            Assert.True(refused.ExitCode is not 0 and not 124, refused.Everything);
            Assert.Contains("RDMA_CM_EVENT_REJECTED, error 8", refused.Everything);

            policy.Put(Apart(server) + "allow = [ { from = one, to = two, ports = [\"7170-7174\"] } ]");
            var allowed = lab.Hosts.Exec(Client, s_bound, "rping", "-c", "-a", LabFixture.AddressOf(server), "-p", "7174", "-C", "3");
            Assert.True(allowed.ExitCode == 0, allowed.Everything);
        }
    }

    [Theory]
    [InlineData("h2c2")]
    [InlineData("h1c1")]
    public void TcpConnectionsOfStrangersArePlain(string server)
    {
        using var policy = new LabPolicy(lab);
        using var listener = lab.StartListening(server, Port, "iperf3", "-s", "-p", $"{Port}");
        var acceleration = new Acceleration(lab, Client, server);
        acceleration.AwaitListener(Port);
        policy.Put(Apart(server));
        var before = TcpCounters.Of(lab, "h1");
        Iperf(server);
        var seen = TcpCounters.Of(lab, "h1") - before;
        Assert.Equal(0, seen.Announced);
        Assert.True(seen.Plain.GetValueOrDefault("Policy") > 0, seen.ToString());
        Explained(server, 1, "TCP: not accelerated", "NO   the policy allows it (no rule allows it from tenant one to tenant two)");

        policy.Put(Apart(server) + $"allow = [ {{ from = one, to = two, ports = {Port}, mode = tcp }} ]");
        acceleration = new Acceleration(lab, Client, server);
        Iperf(server);
        acceleration.MustHaveTaken(2);
        Explained(server, 0, "TCP: accelerated", "yes  the policy allows it (rule 1 (line 2))", "--mode", "tcp");
    }

    [Theory]
    [InlineData("h2c2", "h1", "h2")]
    [InlineData("h2c2", "h1")]
    [InlineData("h2c2", "h2")]
    [InlineData("h1c1", "h1")]
    public void RunningTcpConnectionsEndWithTheirPermission(string server, params string[] where)
    {
        using var policy = new LabPolicy(lab);
        using var listener = lab.StartListening(server, Port, "iperf3", "-s", "-p", $"{Port}");
        var acceleration = new Acceleration(lab, Client, server);
        acceleration.AwaitListener(Port);
        using var client = lab.Hosts.Start(Client, "iperf3", "-c", LabFixture.AddressOf(server), "-p", $"{Port}", "-t", "600");
        acceleration.MustHaveTaken(2);
        WaitFor.That("a flow that is known", s_bound, () => _freeflow.Json("h1", "flows").GetProperty("Total").GetInt32() >= 2);
        foreach (var host in where)
            policy.Put(host, Apart(server));
        var ended = client.Wait(s_bound);
        Assert.True(ended.ExitCode is not 0 and not 124, ended.Everything);
        Assert.Matches("reset by peer|connection abort|Broken pipe|unable to|closed", ended.Everything);
        Assert.Contains(where, host => lab.RouterLog(host).Contains("connections were reset, which it allows no more", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("h2c2")]
    [InlineData("h1c1")]
    public void RunningQueuePairsEndWithTheirPermission(string server)
    {
        using var policy = new LabPolicy(lab);
        using var listener = lab.StartListening(server, ProgramPair.Port, "env", "-u", "VNET_PREFIX", "ib_send_bw", "--run_infinitely");
        using var client = lab.Hosts.Start(Client, "env", "-u", "VNET_PREFIX", "ib_send_bw", "--run_infinitely", LabFixture.AddressOf(server));
        WaitFor.That("QPs in RTS that have sent", s_bound, () => _freeflow.Run("h1", "qps").Output.Split('\n')
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Any(words => words.Length > 3 && words[2] == "RTS" && words[3] == LabFixture.AddressOf(Client)));
        policy.Put(Apart(server));
        foreach (var program in new[] { client, listener })
        {
            var ended = program.Wait(s_bound);
            Assert.True(ended.ExitCode is not 0 and not 124, ended.Everything);
            Assert.Matches("(?i)error|failed", ended.Everything);
        }

        Assert.True(lab.Status("h1").GetProperty("Engine").GetProperty("PolicyEnded").GetInt64() > 0);
    }

    private static string Apart(string server) =>
        $"tenants {{ one {{ addresses = [\"{LabFixture.AddressOf(Client)}\"] }}, two {{ addresses = [\"{LabFixture.AddressOf(server)}\"] }} }}\n";

    private Freeflow.Lab.ProgramResult Perftest(string server)
    {
        using var listener = lab.StartListening(server, ProgramPair.Port, "ib_write_bw", "-n", "100");
        return lab.Hosts.Exec(Client, s_bound, "ib_write_bw", "-n", "100", LabFixture.AddressOf(server));
    }

    private void Iperf(string server)
    {
        var result = lab.Hosts.Exec(Client, s_bound, "iperf3", "-c", LabFixture.AddressOf(server), "-p", $"{Port}", "-n", "1M");
        Assert.True(result.ExitCode == 0, result.Everything);
    }

    private void Explained(string server, int exitCode, string verdict, string why, params string[] options)
    {
        var mode = options.Length > 0 ? options : ["--mode", verdict.StartsWith("TCP", StringComparison.Ordinal) ? "tcp" : "rdma"];
        var destination = LabFixture.AddressOf(server) + (verdict.StartsWith("TCP", StringComparison.Ordinal) ? $":{Port}" : "");
        var result = _freeflow.Run("h1", ["explain", LabFixture.AddressOf(Client), destination, .. mode]);
        Assert.True(result.ExitCode == exitCode, result.Everything);
        Assert.Contains(verdict, result.Output);
        Assert.Contains(why, result.Output);
    }
}
