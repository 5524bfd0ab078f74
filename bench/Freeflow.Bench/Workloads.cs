using System.Globalization;
using System.Text.Json;
using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>Runs the programs whose figures are compared; each call is one run.</summary>
public sealed class Workloads(LabHosts lab)
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);
    private const int EchoPort = 18700;

    private string Baseline => Path.Combine(lab.Paths.Repository, "artifacts/bench/baseline");

    /// <summary>perftest's line for one size: typical (which is its median), average and 99.9 %, µs.</summary>
    public (double Typical, double Average, double Tail) Latency(string program, BenchPath path, int bytes)
    {
        var fields = Perftest(path, program, "-s", bytes.ToString(), "-n", "5000");
        return (fields[4], fields[5], fields[8]);
    }

    /// <summary>Average bandwidth, MB/s of 2^20, and message rate, millions a second.</summary>
    public (double Bandwidth, double Rate) Bandwidth(string program, BenchPath path, int bytes)
    {
        // About half a second of data at 10 GB/s, and never less than perftest's own thousand.
        var count = Math.Clamp((5L << 30) / bytes, 1000, 200_000);
        var fields = Perftest(path, program, "-s", bytes.ToString(), "-n", count.ToString());
        return (fields[3], fields[4]);
    }

    /// <summary>The same for so many seconds, however much that is.</summary>
    public (double Bandwidth, double Rate) Sustained(string program, BenchPath path, int bytes, int seconds)
    {
        var fields = Perftest(path, program, "-s", bytes.ToString(), "-D", seconds.ToString());
        return (fields[3], fields[4]);
    }

    /// <summary>Messages of one size over an unreliable transport (UC or UD), millions a second.</summary>
    public double UnreliableRate(string transport, BenchPath path, int bytes) =>
        Perftest(path, "ib_send_bw", "-c", transport, "-s", bytes.ToString(), "-n", "200000")[4];

    /// <summary>Round trip of a TCP echo: median and 99.9 %, µs.</summary>
    public (double Median, double Tail) Echo(BenchPath path, int bytes)
    {
        using var server = lab.Start(path.ServerNode, Plain(path, Baseline, "echo-serve", EchoPort.ToString()));
        Thread.Sleep(200);
        var numbers = Numbers(Run(path.ClientNode, Plain(path, Baseline, "echo", path.ServerAddress, EchoPort.ToString(), bytes.ToString(), "10000")));
        return (numbers[0], numbers[1]);
    }

    /// <summary>One stream of iperf3 for a second and a half, MB/s of 2^20.</summary>
    public double Iperf(BenchPath path)
    {
        using var server = lab.Start(path.ServerNode, Plain(path, "iperf3", "-s", "-1"));
        Thread.Sleep(300);
        var report = Run(path.ClientNode, Plain(path, "iperf3", "-c", path.ServerAddress, "-t", "1.5", "-J"));
        var bits = JsonSerializer.Deserialize<JsonElement>(report).GetProperty("end").GetProperty("sum_received").GetProperty("bits_per_second").GetDouble();
        return bits / 8 / (1 << 20);
    }

    public double Memcpy(int bytes) => Numbers(Run("h1", [Baseline, "memcpy", bytes.ToString()]))[0];

    private double[] Perftest(BenchPath path, string program, params string[] options)
    {
        using var server = lab.Start(path.ServerNode, [program, .. options]);
        Thread.Sleep(300);
        var output = Run(path.ClientNode, [program, .. options, path.ServerAddress]);
        server.Wait(s_bound);
        return Numbers(output.Split('\n').Last(line => line.TrimStart() is { Length: > 0 } text && char.IsAsciiDigit(text[0])));
    }

    private string Run(string node, IEnumerable<string> command)
    {
        var words = command.ToList();
        var result = lab.Exec(node, s_bound, words);
        return result.ExitCode == 0 ? result.Output : throw new LabException($"{string.Join(' ', words)} in {node}: {result.Everything}");
    }

    // TCP must not be touched by the preload, in whatever mode: it is what we compare with.
    private static string[] Plain(BenchPath path, params string[] command) =>
        path.ClientNode.Contains('c') ? ["env", "-u", "LD_PRELOAD", .. command] : command;

    private static double[] Numbers(string line) =>
        [.. line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(word => double.Parse(word, CultureInfo.InvariantCulture))];
}
