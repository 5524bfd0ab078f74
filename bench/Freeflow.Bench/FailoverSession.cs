using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>
/// How long it takes, when something dies, until an application sees it, and from when that is mended until its work goes on: a program that
/// writes without end over an RC QP across hosts (timeout 14, retry_cnt 7: 2.1 s), and opens everything anew when that fails.
/// </summary>
public sealed class FailoverSession(LabHosts lab, int rounds, bool quick)
{
    private const string ServerNode = "h2c1";
    private const int Port = 18740;

    /// <summary>By then the cluster has given up a member that is out of reach.</summary>
    private static readonly TimeSpan s_parts = TimeSpan.FromSeconds(10);

    private readonly Figures _figures = new();
    private readonly OutageLog _log = new(Path.Combine(lab.Paths.State, "outage"));
    private BackgroundProgram? _server;

    private string Program => Path.Combine(lab.Paths.Repository, "artifacts/bench/outage");

    public void Run()
    {
        StartServer();
        // By the overlay they meet again whatever routers do.
        using var client = lab.Start("h1c1", "env", "-u", "VNET_PREFIX", Program, $"{Port}", LabLayout.OverlayAddress(2, 1), _log.Path);
        try
        {
            for (var round = 1; round <= rounds; round++)
            {
                Console.Error.WriteLine($"round {round} of {rounds}");
                Round();
            }
        }
        finally
        {
            _server?.Dispose();
        }

        _figures.Print(Path.Combine(lab.Paths.Repository, "artifacts/bench"), "failover-", [], rounds);
    }

    private void Round()
    {
        Measure("own router killed", () => lab.Routers.Kill("h1"), () => StartRouter("h1"));
        Measure("peer's router killed", () => lab.Routers.Kill("h2"), () => StartRouter("h2"));
        Measure("container killed", KillServer, StartServer);
        if (quick)
            return;
        Measure("own router stopped", () => lab.Routers.Stop("h1"), () => StartRouter("h1"));
        Measure("peer's router stopped", () => lab.Routers.Stop("h2"), () => StartRouter("h2"));
        Measure("network cut", () => Connect(false), () => Connect(true));
        Measure("network cut until the cluster has parted", () => Connect(false), () => Connect(true), s_parts);
    }

    private void Measure(string what, Action happens, Action mend, TimeSpan lasts = default)
    {
        lab.Routers.AwaitCluster(2, LabRouters.ClusterWithin);
        _log.AwaitWork();
        var from = OutageLog.Now;
        happens();
        var seen = _log.Await("down", from);
        if (lasts > TimeSpan.Zero)
            Thread.Sleep(lasts);
        var mended = OutageLog.Now;
        mend();
        var back = _log.Await("up", mended);
        _figures.Add($"{what}: seen after", "s", seen - from);
        _figures.Add($"{what}: works again after", "s", back - mended);
    }

    private void StartRouter(string host) => lab.Routers.Start(host, inHostPidNamespace: false, hosts: 2);

    private void StartServer() => _server = lab.Start(ServerNode, "env", "-u", "VNET_PREFIX", Program, $"{Port}");

    private void KillServer()
    {
        foreach (var (pid, name) in lab.ProcessesIn(ServerNode))
        {
            if (name == "outage")
                LabProcesses.Kill(pid, "KILL");
        }

        _server!.Dispose();
    }

    private void Connect(bool on) => Shell.Script(
        $"nsenter -t {new LabNetwork(lab.Paths, new LabOptions()).PidOf(LabLayout.Switch)} -n ip link set ff-u2 {(on ? "master underlay" : "nomaster")}");
}
