using System.Diagnostics;
using System.Net;
using Akka.Actor;
using Akka.Cluster;
using Freeflow.Actors.Directory;
using Freeflow.Lab;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;

namespace Freeflow.Bench;

/// <summary>
/// The directory with many routers: their actor systems and directories in this process, over loopback, each with its part of the addresses.
/// How long until each knows all, how much memory that takes, what a lookup costs, how long one more address takes to all others, and a
/// router that joins to all addresses.
/// </summary>
internal sealed class DirectorySession(int routers, int addresses)
{
    private const int ToPropagate = 100;
    private const int Lookups = 5_000_000;
    private const int LookedUp = 4096;
    private const double Megabyte = 1 << 20;

    private static readonly TimeSpan s_clusterWithin = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan s_knownWithin = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan s_propagatedWithin = TimeSpan.FromSeconds(30);

    private readonly List<DirectoryNode> _nodes = [];
    private readonly Figures _figures = new();

    public int Run()
    {
        try
        {
            Measure();
            return 0;
        }
        catch (TimeoutException late)
        {
            Console.Error.WriteLine("bench: " + late.Message);
            return 1;
        }
        finally
        {
            _figures.Print(Path.Combine(LabPaths.Find().Repository, "artifacts/bench"), "directory-", [], 1);
            Task.WaitAll([.. _nodes.Select(node => node.System.Terminate())], TimeSpan.FromMinutes(1));
        }
    }

    private void Measure()
    {
        Timed("cluster formed", () =>
        {
            while (_nodes.Count < routers)
                _nodes.Add(DirectoryNode.Start(_nodes.FirstOrDefault()));
            AwaitCluster();
        });
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var allocated = GC.GetTotalAllocatedBytes();
        var processor = Environment.CpuUsage.TotalTime;
        Timed("all addresses known to all", () =>
        {
            for (var number = 0; number < addresses; number++)
                Claim(number);
            AwaitAddresses(addresses);
        });
        _figures.Add("processor time for it, together", "s", (Environment.CpuUsage.TotalTime - processor).TotalSeconds);
        _figures.Add("allocated for it, together", "MiB", (GC.GetTotalAllocatedBytes() - allocated) / Megabyte);
        _figures.Add("heap for each router", "MiB", (GC.GetTotalMemory(forceFullCollection: true) - before) / Megabyte / routers);
        LookUp(_nodes[0].Book);
        Propagate();
        Timed("a router that joins knows all", () =>
        {
            _nodes.Add(DirectoryNode.Start(_nodes[0]));
            AwaitAddresses(addresses + ToPropagate);
        });
        Rest();
    }

    private void LookUp(AddressBook book)
    {
        foreach (var node in _nodes)
            book.Reach(node.Name, _nodes.IndexOf(node));
        var keys = Enumerable.Range(0, LookedUp).Select(i => AddressOf((int)((long)i * addresses / LookedUp))).ToArray();
        var found = 0;
        for (var warm = 0; warm < LookedUp; warm++)
            found += book.PeerOf(keys[warm]) is null ? 0 : 1;
        if (found != LookedUp)
            throw new TimeoutException($"{found} of {LookedUp} addresses are found");
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < Lookups; i++)
            found += book.PeerOf(keys[i % LookedUp]) is null ? 0 : 1;
        _figures.Add("lookup", "ns", Stopwatch.GetElapsedTime(began).TotalNanoseconds / Lookups);
        _figures.Add("allocated for a lookup", "B", (GC.GetAllocatedBytesForCurrentThread() - allocated) / (double)Lookups);
    }

    private void Propagate()
    {
        var times = new List<double>();
        for (var i = 0; i < ToPropagate; i++)
        {
            var address = AddressOf(addresses + i);
            var began = Stopwatch.GetTimestamp();
            Claim(addresses + i);
            Await("one more address known to every router", s_propagatedWithin, () => _nodes.TrueForAll(node => node.Book.Owners.ContainsKey(address)));
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        times.Sort();
        _figures.Add("one more address to all, median", "ms", times[times.Count / 2]);
        _figures.Add("one more address to all, p99", "ms", times[(int)Math.Ceiling(times.Count * 0.99) - 1]);
    }

    /// <summary>What it costs that all is known and nothing changes.</summary>
    private void Rest()
    {
        var seconds = 5;
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        var processor = Environment.CpuUsage.TotalTime;
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        _figures.Add("at rest, for each router", "% of a core", (Environment.CpuUsage.TotalTime - processor).TotalSeconds / seconds * 100 / _nodes.Count);
    }

    private void Claim(int number) => _nodes[number % routers].Directory.Tell(new DirectoryProtocol.Claim($"container-{number}", Tenant.Default, [GidOf(number)]));

    private void AwaitCluster() => Await(
        "every router up at every other", s_clusterWithin, () => _nodes.TrueForAll(node => node.Cluster.State.Members.Count(member => member.Status == MemberStatus.Up) == _nodes.Count));

    private void AwaitAddresses(int count) => Await(
        "every address known to every router", s_knownWithin, () => _nodes.TrueForAll(node => node.Book.Owners.Count == count),
        () => $"{_nodes.Min(node => node.Book.Owners.Count)} to {_nodes.Max(node => node.Book.Owners.Count)} of {count}");

    private void Timed(string what, Action action)
    {
        var began = Stopwatch.GetTimestamp();
        action();
        _figures.Add(what, "s", Stopwatch.GetElapsedTime(began).TotalSeconds);
        Console.Error.WriteLine($"{what}: {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
    }

    private static TenantAddress AddressOf(int number) => TenantAddress.Of(Tenant.Default, GidOf(number));

    private static Gid GidOf(int number) => Gid.FromAddress(new IPAddress([10, (byte)(number >> 16), (byte)(number >> 8), (byte)number]));

    /// <summary>Looks every 2 ms, since some of these waits are what is measured: the pauses of <see cref="WaitFor"/> grow.</summary>
    private static void Await(string what, TimeSpan usual, Func<bool> holds, Func<string>? found = null)
    {
        var within = WaitFor.Scaled(usual);
        for (var began = Stopwatch.GetTimestamp(); !holds(); Thread.Sleep(2))
        {
            if (Stopwatch.GetElapsedTime(began) > within)
                throw new TimeoutException($"not within {within.TotalSeconds} s: {what}{(found is null ? "" : "; " + found())}");
        }
    }
}
