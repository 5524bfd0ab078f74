using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>How quickly objects and connections come and go, small datagrams, many QPs at once, and rsockets beside TCP.</summary>
public sealed class RateSession(LabHosts lab, int rounds)
{
    private const int ManyPairs = 512;
    private const int Datagram = 64;
    private const int Large = 1 << 20;

    private static readonly (string Kind, string Name)[] s_objects = [("qp", "QP"), ("cq", "CQ"), ("mr", "MR of 4 KiB"), ("large-mr", "MR of 1 GiB")];

    private readonly RateWorkloads _rates = new(lab);
    private readonly RdmaCmWorkloads _cm = new(lab);
    private readonly Workloads _run = new(lab);
    private readonly Figures _figures = new();

    public void Run()
    {
        for (var round = 1; round <= rounds; round++)
        {
            Console.Error.WriteLine($"round {round} of {rounds}");
            Round();
        }

        _figures.Print(Path.Combine(lab.Paths.Repository, "artifacts/bench"), "rates-", Bars(), rounds);
    }

    private void Round()
    {
        foreach (var (kind, name) in s_objects)
        {
            var (rate, make, free, longest) = _rates.Objects(kind);
            _figures.Add($"{name}, made and freed", "a second", rate);
            _figures.Add($"{name}, to make one", "µs", make);
            _figures.Add($"{name}, to free one", "µs", free);
            _figures.Add($"{name}, longest to make one", "µs", longest);
        }

        foreach (var path in new[] { BenchPath.SameHost, BenchPath.Across })
        {
            _figures.Add($"{path.Name} rdma_cm connections", "a second", _cm.Connections(path, 200));
            _figures.Add($"{path.Name} UD send_bw {Datagram} rate", "Mmsg/s", _run.UnreliableRate("UD", path, Datagram));
            foreach (var number in new[] { 1, ManyPairs })
            {
                var (bandwidth, fairness) = _rates.Pairs(path, number);
                _figures.Add(Pairs(path, number), "MB/s", bandwidth);
                if (number > 1)
                    _figures.Add($"{Pairs(path, number)}, Jain's index", "", fairness);
            }

            _figures.Add(Stream(path, "rstream"), "MB/s", _cm.Stream(path, overTcp: false, Large, 500));
            _figures.Add(Stream(path, "rstream on TCP overlay"), "MB/s", _cm.Stream(path, overTcp: true, Large, 500));
        }

        _figures.Add(Stream(BenchPath.HostToHost, "rstream on TCP"), "MB/s", _cm.Stream(BenchPath.HostToHost, overTcp: true, Large, 500));
    }

    private static string Pairs(BenchPath path, int number) => $"{path.Name} {number} QP {(number == 1 ? "pair" : "pairs")}, write 64 KiB";

    private static string Stream(BenchPath path, string way) => $"{path.Name} {way} {Large} B";

    private IEnumerable<Bar> Bars()
    {
        foreach (var path in new[] { BenchPath.SameHost, BenchPath.Across })
        {
            yield return new Bar($"{path.Name}, {ManyPairs} QP pairs together over one (where this is going: 1)",
                _figures.Of(Pairs(path, ManyPairs)) / _figures.Of(Pairs(path, 1)), 0, AtLeast: true);
            yield return new Bar($"{path.Name}, Jain's index of {ManyPairs} QP pairs",
                _figures.Of($"{Pairs(path, ManyPairs)}, Jain's index"), 0.9, AtLeast: true);
            yield return new Bar($"{path.Name}, rstream 1 MiB over the overlay's (where this is going: 1)",
                _figures.Of(Stream(path, "rstream")) / _figures.Of(Stream(path, "rstream on TCP overlay")), 0, AtLeast: true);
        }

        yield return new Bar("across hosts, rstream 1 MiB over TCP's host to host (where this is going: 0.9)",
            _figures.Of(Stream(BenchPath.Across, "rstream")) / _figures.Of(Stream(BenchPath.HostToHost, "rstream on TCP")), 0, AtLeast: true);
    }
}
