using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>All figures, round by round, so that a machine that slows down does so for everything that is compared.</summary>
public sealed class Session(LabHosts lab, int rounds, bool quick)
{
    private const int Small = 2;
    private const int Large = 1 << 20;
    private static readonly int[] s_sizes = [64, 4096, 65536, Large];
    private static readonly string[] s_unreliable = ["UC", "UD"];
    private static readonly string[] s_operations = ["send", "write", "read"];

    private readonly Workloads _run = new(lab);
    private readonly RdmaCmWorkloads _cm = new(lab);
    private readonly Figures _figures = new();

    public void Run()
    {
        Add("router at rest", "% of a core", Rest());
        for (var round = 1; round <= rounds; round++)
        {
            Console.Error.WriteLine($"round {round} of {rounds}");
            Round();
        }

        Add("engine, allocated", "bytes per work request", AllocationsPerWorkRequest.Measure());
        _figures.Print(Path.Combine(lab.Paths.Repository, "artifacts/bench"), "", Bars(), rounds);
    }

    // The just-in-time compiler is busy for a while after the start.
    private double Rest()
    {
        Thread.Sleep(TimeSpan.FromSeconds(50));
        return RouterAtRest.Measure(lab, "h1", TimeSpan.FromSeconds(30));
    }

    private void Round()
    {
        foreach (var path in new[] { BenchPath.SameHost, BenchPath.Across })
        {
            foreach (var operation in quick ? s_operations[..2] : s_operations)
            {
                var (typical, average, tail) = _run.Latency($"ib_{operation}_lat", path, Small);
                Add($"{path.Name} {operation}_lat {Small} B typical", "µs", typical);
                Add($"{path.Name} {operation}_lat {Small} B average", "µs", average);
                Add($"{path.Name} {operation}_lat {Small} B 99.9 %", "µs", tail);
            }

            foreach (var operation in quick ? ["write"] : s_operations)
            {
                foreach (var bytes in quick ? [Large] : s_sizes)
                {
                    var (bandwidth, rate) = _run.Bandwidth($"ib_{operation}_bw", path, bytes);
                    Add($"{path.Name} {operation}_bw {bytes}", "MB/s", bandwidth);
                    if (bytes < Large)
                        Add($"{path.Name} {operation}_bw {bytes} rate", "Mmsg/s", rate);
                }
            }

            foreach (var transport in quick ? [] : s_unreliable)
                Add($"{path.Name} {transport} send_bw {s_sizes[0]} rate", "Mmsg/s", _run.UnreliableRate(transport, path, s_sizes[0]));
            Tcp(path);
            RdmaCm(path);
        }

        Tcp(BenchPath.HostToHost);
        Sockets(BenchPath.HostToHost, overTcp: true);
        Add("memcpy 1 MiB", "MB/s", _run.Memcpy(Large));
    }

    private void Tcp(BenchPath path)
    {
        var (median, tail) = _run.Echo(path, Small);
        var way = path == BenchPath.HostToHost ? "TCP" : "TCP overlay";
        Add($"{path.Name} {way} echo {Small} B round trip", "µs", median);
        Add($"{path.Name} {way} echo {Small} B 99.9 %", "µs", tail);
        Add($"{path.Name} {way} iperf3", "MB/s", _run.Iperf(path));
    }

    private void RdmaCm(BenchPath path)
    {
        Add($"{path.Name} rdma_cm connections", "a second", _cm.Connections(path, 200));
        Sockets(path, overTcp: false);
        Sockets(path, overTcp: true);
    }

    private void Sockets(BenchPath path, bool overTcp)
    {
        var way = !overTcp ? "rstream" : path == BenchPath.HostToHost ? "rstream on TCP" : "rstream on TCP overlay";
        Add($"{path.Name} {way} {Large} B", "MB/s", _cm.Stream(path, overTcp, Large, 500));
        Add($"{path.Name} {way} 64 B", "µs", _cm.OneWay(path, overTcp, 64));
    }

    private IEnumerable<Bar> Bars()
    {
        double Of(string name) => _figures.Of(name);
        yield return new Bar("same host, write_bw 1 MiB over the overlay's iperf3",
            Of($"same host write_bw {Large}") / Of("same host TCP overlay iperf3"), 4, AtLeast: true);
        yield return new Bar("same host, write_lat 2 B over half the overlay's round trip",
            Of("same host write_lat 2 B typical") / (Of("same host TCP overlay echo 2 B round trip") / 2), 0.2, AtLeast: false);
        yield return new Bar("across hosts, write_bw 1 MiB over the overlay's iperf3",
            Of($"across hosts write_bw {Large}") / Of("across hosts TCP overlay iperf3"), 1, AtLeast: true);
        yield return new Bar("across hosts, write_bw 1 MiB over host to host iperf3 (where this is going: 0.98)",
            Of($"across hosts write_bw {Large}") / Of("host to host TCP iperf3"), 0, AtLeast: true);
        yield return new Bar("across hosts, send_lat 2 B over half the host-to-host round trip",
            Of("across hosts send_lat 2 B typical") / (Of("host to host TCP echo 2 B round trip") / 2), 1.3, AtLeast: false);
        yield return new Bar("across hosts, rstream 1 MiB over the overlay's (where this is going: 1)",
            Of($"across hosts rstream {Large} B") / Of($"across hosts rstream on TCP overlay {Large} B"), 0, AtLeast: true);
        yield return new Bar("same host, rstream 1 MiB over the overlay's (where this is going: 1)",
            Of($"same host rstream {Large} B") / Of($"same host rstream on TCP overlay {Large} B"), 0, AtLeast: true);
        yield return new Bar("managed bytes per work request", Of("engine, allocated"), 0, AtLeast: false);
        yield return new Bar("router at rest, % of a core", Of("router at rest"), 1, AtLeast: false);
    }

    private void Add(string name, string unit, double value) => _figures.Add(name, unit, value);
}
