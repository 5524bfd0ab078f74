using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>What it costs to encrypt the links: two labs side by side, the routers of one of which encrypt, measured in turn.</summary>
public sealed class EncryptionSession(LabHosts plain, LabHosts encrypted, int rounds)
{
    private const int Small = 2;
    private const int Short = 64;
    private const int Medium = 1 << 16;
    private const int Large = 1 << 20;

    private readonly Figures _figures = new();

    public void Run()
    {
        for (var round = 1; round <= rounds; round++)
        {
            Console.Error.WriteLine($"round {round} of {rounds}");
            Round("plain", new Workloads(plain));
            Round("encrypted", new Workloads(encrypted));
        }

        _figures.Add("engine, allocated", "bytes per work request", AllocationsPerWorkRequest.Measure());
        _figures.Print(Path.Combine(plain.Paths.Repository, "artifacts/bench"), "encryption-", Bars(), rounds);
    }

    private void Round(string link, Workloads run)
    {
        var (typical, average, tail) = run.Latency("ib_send_lat", BenchPath.Across, Small);
        _figures.Add($"{link} send_lat {Small} B typical", "µs", typical);
        _figures.Add($"{link} send_lat {Small} B average", "µs", average);
        _figures.Add($"{link} send_lat {Small} B 99.9 %", "µs", tail);
        _figures.Add($"{link} send_bw {Short} rate", "Mmsg/s", run.Bandwidth("ib_send_bw", BenchPath.Across, Short).Item2);
        foreach (var bytes in (int[])[Medium, Large])
            _figures.Add($"{link} write_bw {bytes}", "MB/s", run.Bandwidth("ib_write_bw", BenchPath.Across, bytes).Item1);
    }

    private IEnumerable<Bar> Bars()
    {
        double Ratio(string name) => _figures.Of("encrypted " + name) / _figures.Of("plain " + name);
        yield return new Bar("send_lat 2 B, encrypted over plain (no bar)", Ratio($"send_lat {Small} B typical"), 0, AtLeast: true);
        yield return new Bar("send_bw 64 B rate, encrypted over plain (no bar)", Ratio($"send_bw {Short} rate"), 0, AtLeast: true);
        yield return new Bar("write_bw 64 KiB, encrypted over plain (no bar)", Ratio($"write_bw {Medium}"), 0, AtLeast: true);
        yield return new Bar("write_bw 1 MiB, encrypted over plain (no bar)", Ratio($"write_bw {Large}"), 0, AtLeast: true);
        yield return new Bar("managed bytes per work request", _figures.Of("engine, allocated"), 0, AtLeast: false);
    }
}
