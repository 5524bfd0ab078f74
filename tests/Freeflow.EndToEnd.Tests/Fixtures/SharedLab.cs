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
    private IReadOnlyList<string> _whole = [];
    private string? _testBefore;

    public SharedLab(LabPaths paths, LabOptions options)
    {
        _options = options;
        Hosts = new LabHosts(paths);
    }

    public LabHosts Hosts { get; }

    private IEnumerable<string> Names => Enumerable.Range(1, _options.Hosts).Select(LabLayout.Host);

    /// <summary>Makes the lab whole for a test, and writes down what was wrong with it.</summary>
    public void MakeWhole(string test)
    {
        if (_whole.Count == 0)
            Rebuild();
        else if (Mend() is { } mended)
            MendingLog.Write(test, _testBefore, mended);
        _testBefore = test;
    }

    private string? Mend()
    {
        var foreign = EndForeignProcesses();
        var now = NamespacesNow();
        if (!now.SequenceEqual(_whole))
        {
            var changed = now.Except(_whole).Concat(_whole.Except(now)).FirstOrDefault() ?? "the order of its addresses, routes or mounts";
            Rebuild();
            return $"a host or container had changed ({changed}): the lab was made anew";
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

    /// <summary>What the namespaces of all hosts and containers hold, a line each: interfaces, addresses, routes, mounts; nothing of those that have gone.</summary>
    private List<string> NamespacesNow() =>
    [
        .. from node in Hosts.Nodes(_options)
           let pid = File.Exists(Hosts.Paths.NodeFile(node)) ? File.ReadAllText(Hosts.Paths.NodeFile(node)).Trim() : "0"
           from line in Interfaces(pid).Concat(Lines(pid, "net/fib_trie")).Concat(Lines(pid, "net/route")).Concat(GlobalAddresses(pid)).Concat(Lines(pid, "mounts"))
           select $"{node}: {line}",
    ];

    private static IEnumerable<string> Interfaces(string pid) => Lines(pid, "net/dev").Skip(2).Select(line => line.Split(':')[0].Trim()).Order();

    /// <summary>Link-local ones come some time after an interface is up.</summary>
    private static IEnumerable<string> GlobalAddresses(string pid) => Lines(pid, "net/if_inet6").Where(line => !line.StartsWith("fe80", StringComparison.Ordinal));

    private static IEnumerable<string> Lines(string pid, string file)
    {
        try
        {
            return File.ReadAllLines($"/proc/{pid}/{file}");
        }
        catch (IOException)
        {
            return [];
        }
    }

    private bool SeesWholeCluster(string host) => Hosts.Routers.SeesMembers(host, _options.Hosts);
}
