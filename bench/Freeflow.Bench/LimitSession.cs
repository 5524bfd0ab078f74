using System.Globalization;
using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>How exactly a policy's rates are kept, and what it costs to have one that is never reached.</summary>
public sealed class LimitSession(LabHosts lab, int rounds)
{
    private const int Small = 64;
    private const int Large = 1 << 20;
    private const int Seconds = 4;
    private const double Megabyte = 1 << 20;

    private static readonly (int Bytes, string Limit, double PerSecond, bool IsBytes)[] s_limits =
    [
        (Large, "bandwidth = 2Gbit", 2e9 / 8, true),
        (Small, "bandwidth = 20Mbit", 20e6 / 8, true),
        (Small, "messages-per-second = 100000", 100_000, false),
    ];

    private readonly Workloads _run = new(lab);
    private readonly Figures _figures = new();

    public void Run()
    {
        for (var round = 1; round <= rounds; round++)
        {
            Console.Error.WriteLine($"round {round} of {rounds}");
            foreach (var path in new[] { BenchPath.SameHost, BenchPath.Across })
                Round(path);
        }

        _figures.Print(Path.Combine(lab.Paths.Repository, "artifacts/bench"), "limits-", Bars(), rounds);
    }

    private void Round(BenchPath path)
    {
        foreach (var (bytes, limit, perSecond, isBytes) in s_limits)
        {
            Apply(limit);
            var (bandwidth, rate) = _run.Sustained("ib_write_bw", path, bytes, Seconds);
            _figures.Add(Kept(path, bytes, limit), "of the set rate", (isBytes ? bandwidth * Megabyte : rate * 1e6) / perSecond);
        }

        foreach (var bytes in new[] { Small, Large })
        {
            Apply("");
            _figures.Add(Without(path, bytes), "MB/s", _run.Bandwidth("ib_write_bw", path, bytes).Bandwidth);
            Apply("bandwidth = 4000Gbit, messages-per-second = 1000000000");
            _figures.Add(With(path, bytes), "MB/s", _run.Bandwidth("ib_write_bw", path, bytes).Bandwidth);
        }
    }

    private void Apply(string limits)
    {
        var result = lab.Exec(
            "h1", TimeSpan.FromSeconds(30), "sh", "-c", "printf 'container-limits { %s }' \"$1\" > /run/freeflow/bench.conf && freeflow policy apply /run/freeflow/bench.conf", "sh", limits);
        if (result.ExitCode != 0)
            throw new LabException($"policy {limits}: {result.Everything}");
    }

    private IEnumerable<Bar> Bars()
    {
        foreach (var path in new[] { BenchPath.SameHost, BenchPath.Across })
        {
            foreach (var (bytes, limit, _, _) in s_limits)
            {
                yield return new Bar($"{Kept(path, bytes, limit)}, at least", _figures.Of(Kept(path, bytes, limit)), 0.98, AtLeast: true);
                yield return new Bar($"{Kept(path, bytes, limit)}, at most", _figures.Of(Kept(path, bytes, limit)), 1.02, AtLeast: false);
            }

            foreach (var bytes in new[] { Small, Large })
                yield return new Bar($"{path.Name} {bytes} B, with a limit over without", _figures.Of(With(path, bytes)) / _figures.Of(Without(path, bytes)), 0.94, AtLeast: true);
        }
    }

    private static string Kept(BenchPath path, int bytes, string limit) => string.Create(CultureInfo.InvariantCulture, $"{path.Name} write {bytes} B, {limit}");

    private static string Without(BenchPath path, int bytes) => $"{path.Name} write {bytes} B, no limit";

    private static string With(BenchPath path, int bytes) => $"{path.Name} write {bytes} B, one that is not reached";
}
