using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Fixtures;

/// <summary>
/// A lab that is looked at before each test, and mended where the test before has left it broken: no failure shall
/// infect the next test.
/// </summary>
internal sealed class SharedLab
{
    private static readonly TimeSpan s_mendWithin = TimeSpan.FromSeconds(15);

    private readonly LabOptions _options;
    private string? _whole;

    public SharedLab(LabPaths paths, LabOptions options)
    {
        _options = options;
        Hosts = new LabHosts(paths);
    }

    public LabHosts Hosts { get; }

    private IEnumerable<string> Names => Enumerable.Range(1, _options.Hosts).Select(LabLayout.Host);

    /// <summary>Makes the lab whole. Returns what was wrong; null: nothing.</summary>
    public string? Mend()
    {
        if (_whole is null)
        {
            Rebuild();
            return null;
        }

        var foreign = EndForeignProcesses();
        if (NamespacesNow() != _whole)
        {
            Rebuild();
            return "the namespaces of a host or container had changed: the lab was made anew";
        }

        if (Names.All(SeesWholeCluster))
            return foreign;
        var why = string.Join(", ", Names.Select(host => $"{host} {(Hosts.Routers.PidOf(host) is null ? "has no router" : SeesWholeCluster(host) ? "is whole" : "does not see all members")}"));
        try
        {
            foreach (var host in Names)
                Hosts.Routers.Start(host, _options.RoutersInHostPidNamespace, _options.Hosts);
            Hosts.Routers.AwaitCluster(_options.Hosts, s_mendWithin);
            return $"{why}: mended";
        }
        catch (LabException)
        {
            Rebuild();
            return $"{why}: the lab was made anew";
        }
    }

    private void Rebuild()
    {
        Hosts.Down();
        Hosts.Up(_options);
        _whole = NamespacesNow();
    }

    /// <summary>Programs that the test before has left in a host or container. What holds the lab up has a role.</summary>
    private string? EndForeignProcesses()
    {
        var left = new LabProcesses(Hosts.Paths).WithoutRole().ToList();
        foreach (var (pid, _) in left)
            LabProcesses.Kill(pid, "KILL");
        return left.Count == 0 ? null : $"processes were left and ended: {string.Join(", ", left.Select(process => process.Name).Distinct())}";
    }

    /// <summary>What the namespaces of all hosts and containers hold: interfaces, addresses, routes, mounts; empty of those that have gone.</summary>
    private string NamespacesNow() => string.Concat(Hosts.Nodes(_options).Select(node =>
    {
        var pid = File.Exists(Hosts.Paths.NodeFile(node)) ? File.ReadAllText(Hosts.Paths.NodeFile(node)).Trim() : "0";
        return $"{node}\n{Interfaces(pid)}{Read(pid, "net/fib_trie")}{Read(pid, "net/route")}{GlobalAddresses(pid)}{Read(pid, "mounts")}";
    }));

    private static string Interfaces(string pid) =>
        string.Join('\n', Read(pid, "net/dev").Split('\n').Skip(2).Select(line => line.Split(':')[0].Trim()).Order());

    /// <summary>Link-local ones come some time after an interface is up.</summary>
    private static string GlobalAddresses(string pid) =>
        string.Join('\n', Read(pid, "net/if_inet6").Split('\n').Where(line => !line.StartsWith("fe80", StringComparison.Ordinal)));

    private static string Read(string pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private bool SeesWholeCluster(string host) => Hosts.Routers.SeesMembers(host, _options.Hosts);
}
