using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Cluster;

/// <summary>Three hosts whose routers are given a name of DNS, and a server on the first one that knows it. No router runs at first.</summary>
public sealed class NamedLab : LabFixture
{
    private const string Routers = "routers.freeflow.test";

    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(60);

    private readonly BackgroundProgram _server;

    public NamedLab()
        : base("named")
    {
        Hosts.Up(new()
        {
            Hosts = 3, Containers = 0, WithoutRouters = true, WithoutSeeds = true,
            Environment = [$"FREEFLOW_SEED_NAME={Routers}"], Settings = ["freeflow.cluster.seeds-by=dns", "freeflow.cluster.missed-after=3s"],
        });
        File.WriteAllText(Resolver, $"nameserver {LabLayout.UnderlayAddress(1)}\noptions timeout:1 attempts:2\n");
        for (var host = 1; host <= 3; host++)
            MustRun(LabLayout.Host(host), "mount", "--bind", Resolver, "/etc/resolv.conf");
        File.WriteAllText(Records, "");
        _server = Hosts.Start(
            "h1", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", $"--addn-hosts={Records}", "--local=/freeflow.test/",
            $"--listen-address={LabLayout.UnderlayAddress(1)}", "--bind-interfaces", "--user=root", $"--pid-file={Pid}");
        WaitFor.That("a name server in h1", s_within, () => File.Exists(Pid) || _server.HasExited);
        if (_server.HasExited)
            Assert.Fail($"dnsmasq ended: {_server.Wait(s_within).Everything}");
    }

    private string Resolver => Path.Combine(Hosts.Paths.State, "resolv.conf");

    private string Records => Path.Combine(Hosts.Paths.State, "records");

    private string Pid => Path.Combine(Hosts.Paths.State, "dnsmasq.pid");

    /// <summary>Makes the name stand for these hosts.</summary>
    public void StandFor(params int[] hosts)
    {
        File.WriteAllText(Records, string.Concat(hosts.Select(host => $"{LabLayout.UnderlayAddress(host)} {Routers}\n")));
        MustRun("h1", "sh", "-c", $"kill -HUP $(cat {Pid})");
        WaitFor.That($"{Routers} standing for {string.Join(", ", hosts)}", s_within, () => Hosts.Exec("h2", s_within, "getent", "ahostsv4", Routers).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]).ToHashSet().SetEquals(hosts.Select(LabLayout.UnderlayAddress)));
    }

    public override void Dispose()
    {
        _server.Dispose();
        base.Dispose();
    }

    private void MustRun(string host, params string[] command)
    {
        var result = Hosts.ExecPrivileged(host, s_within, command);
        Assert.True(result.ExitCode == 0, result.Everything);
    }
}
