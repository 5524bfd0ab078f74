using System.Globalization;
using System.Text.RegularExpressions;
using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>rdma_cm and rsockets, measured with rdma-core's own programs; rstream can do the same over TCP.</summary>
public sealed partial class RdmaCmWorkloads(LabHosts lab)
{
    private const int Port = 7471;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    /// <summary>Connections a second, from making an id to destroying it, when so many are set up side by side (cmtime).</summary>
    public double Connections(BenchPath path, int count)
    {
        // cmtime's server serves for ever.
        using var server = lab.Start(path.ServerNode, ["cmtime", "-c", $"{count}"]);
        Thread.Sleep(500);
        var said = Run(path.ClientNode, "cmtime", "-s", path.ServerAddress, "-c", $"{count}");
        var microseconds = Steps().Matches(said).Sum(step => Number(step.Groups[1].Value));
        return 1e6 / microseconds;
    }

    /// <summary>rstream in one direction at a time: MB/s of 2^20.</summary>
    public double Stream(BenchPath path, bool overTcp, int bytes, int count) => Rstream(path, overTcp, bytes, count, 1).Gigabits * 1e9 / 8 / (1 << 20);

    /// <summary>rstream's messages there and back: half of it, µs.</summary>
    public double OneWay(BenchPath path, bool overTcp, int bytes) => Rstream(path, overTcp, bytes, 1, 10000).Microseconds;

    private (double Gigabits, double Microseconds) Rstream(BenchPath path, bool overTcp, int bytes, int count, int iterations)
    {
        string[] options = ["rstream", "-p", $"{Port}", "-S", $"{bytes}", "-C", $"{count}", "-I", $"{iterations}", .. overTcp ? new[] { "-T", "s" } : []];
        // The overlay as it is without us.
        string[] command = overTcp && path.ClientNode.Contains('c') ? ["env", "-u", "LD_PRELOAD", .. options] : options;
        using var server = lab.Start(path.ServerNode, command);
        Thread.Sleep(500);
        var said = Run(path.ClientNode, [.. command, "-s", path.ServerAddress]);
        server.Wait(s_bound);
        var line = Result().Match(said);
        return (Number(line.Groups[1].Value), Number(line.Groups[2].Value));
    }

    private string Run(string node, params string[] command)
    {
        var result = lab.Exec(node, s_bound, command);
        return result.ExitCode == 0 ? result.Output : throw new LabException($"{string.Join(' ', command)} in {node}: {result.Everything}");
    }

    private static double Number(string word) => double.Parse(word, CultureInfo.InvariantCulture);

    // step: total ms, max ms, min µs, µs for each connection
    [GeneratedRegex(@"^[a-z][a-z ]*:\s+[\d.]+\s+[\d.]+\s+[\d.]+\s+([\d.]+)", RegexOptions.Multiline)]
    private static partial Regex Steps();

    // name, bytes, xfers, iters, total, time, Gb/sec, usec/xfer
    [GeneratedRegex(@"^custom\s+.*s\s+([\d.]+)\s+([\d.]+)\s*$", RegexOptions.Multiline)]
    private static partial Regex Result();
}
