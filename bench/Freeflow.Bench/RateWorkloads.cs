using System.Globalization;
using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>How often objects can be made, and how many QPs share a way (bench/objects.c, bench/pairs.c).</summary>
public sealed class RateWorkloads(LabHosts lab)
{
    private const int Port = 18710;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    /// <summary>Objects made and freed a second; median µs to make and to free one; and the longest to make one.</summary>
    public (double Rate, double Make, double Free, double Longest) Objects(string kind)
    {
        var numbers = Run("h1c1", Program("objects"), kind, "1");
        return (numbers[0], numbers[1], numbers[2], numbers[3]);
    }

    /// <summary>Objects made and freed a second by so many processes at the same time, all together.</summary>
    public double Objects(string kind, int processes)
    {
        var script = $"for each in $(seq {processes}); do {Program("objects")} {kind} 1 & done; wait";
        var numbers = Run("h1c1", "bash", "-c", script);
        if (numbers.Length != 4 * processes)
            throw new LabException($"{numbers.Length / 4} of {processes} processes have made objects of kind {kind}");
        return Enumerable.Range(0, processes).Sum(each => numbers[4 * each]);
    }

    /// <summary>MB/s (2^20) of so many QPs together, and Jain's index.</summary>
    public (double Bandwidth, double Fairness) Pairs(BenchPath path, int number)
    {
        string[] command = [Program("pairs"), $"{Port}", $"{number}", "2"];
        using var server = lab.Start(path.ServerNode, command);
        Thread.Sleep(1000);
        var numbers = Run(path.ClientNode, [.. command, path.ServerAddress]);
        server.Wait(s_bound);
        return (numbers[0], numbers[1]);
    }

    private string Program(string name) => Path.Combine(lab.Paths.Repository, "artifacts/bench", name);

    private double[] Run(string node, params string[] command)
    {
        var result = lab.Exec(node, s_bound, command);
        return result.ExitCode == 0
            ? [.. result.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(word => double.Parse(word, CultureInfo.InvariantCulture))]
            : throw new LabException($"{string.Join(' ', command)} in {node}: {result.Everything}");
    }
}
