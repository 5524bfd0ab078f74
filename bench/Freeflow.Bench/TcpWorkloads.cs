using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>The client programs whose figures are compared; each call is one run against a server that is there.</summary>
/// <param name="lab">Where they run.</param>
/// <param name="seconds">How long iperf3 and wrk run: they read no fractions, and iperf3 takes 0 for "without end".</param>
/// <param name="slice">How long the others do.</param>
public sealed partial class TcpWorkloads(LabHosts lab, int seconds, TimeSpan slice)
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    private string Slice => slice.TotalSeconds.ToString(CultureInfo.InvariantCulture);

    private string Baseline => Path.Combine(lab.Paths.Repository, "artifacts/bench/baseline");

    /// <summary>MB/s of 2^20, and what was received in GB of 2^30.</summary>
    public (double Rate, double Gigabytes) Iperf(TcpPath path, int streams)
    {
        var report = Run(path, "iperf3", "-c", path.ServerAddress, "-p", $"{path.Port(TcpService.Iperf)}", "-P", $"{streams}", "-t", $"{seconds}", "-J");
        var sum = JsonSerializer.Deserialize<JsonElement>(report).GetProperty("end").GetProperty("sum_received");
        return (sum.GetProperty("bits_per_second").GetDouble() / 8 / (1 << 20), sum.GetProperty("bytes").GetDouble() / (1 << 30));
    }

    /// <summary>From a request to the end of an answer of the same size: median and 99.9 %, µs.</summary>
    public (double Median, double Tail) Respond(TcpPath path, int bytes)
    {
        var words = Run(path, Baseline, "respond", path.ServerAddress, $"{path.Port(TcpService.Respond)}", $"{bytes}", Slice).Split();
        return (Number(words[0]), Number(words[1]));
    }

    /// <summary>Connections a second, a byte each way on each.</summary>
    public double Visit(TcpPath path, int clients) =>
        Number(Run(path, Baseline, "visit", path.ServerAddress, $"{path.Port(TcpService.Visit)}", $"{clients}", Slice));

    /// <summary>Requests a second that nginx answers with 1 KiB, on 16 connections or on one for each request.</summary>
    public double Web(TcpPath path, bool keepAlive)
    {
        string[] header = keepAlive ? [] : ["-H", "Connection: close"];
        var url = $"http://{path.ServerAddress}:{path.Port(TcpService.Web)}/";
        var report = Run(path, ["wrk", "-t", "1", "-c", "16", "-d", $"{seconds}", .. header, url]);
        if (WebFailure().Match(report) is { Success: true } failure)
            throw new LabException($"wrk in {path.ClientNode}, {path.Kind}: {failure.Value}");
        return Number(WebRate().Match(report).Groups[1].Value);
    }

    private string Run(TcpPath path, params string[] command)
    {
        var result = lab.Exec(path.ClientNode, s_bound, path.Command(command));
        return result.ExitCode == 0
            ? result.Output
            : throw new LabException($"{string.Join(' ', command)} in {path.ClientNode}, {path.Kind}: {Last(result.Everything)}");
    }

    private static string Last(string text) => string.Join('\n', text.Split('\n').TakeLast(20));

    private static double Number(string word) => double.Parse(word, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"Requests/sec:\s+([0-9.]+)")]
    private static partial Regex WebRate();

    [GeneratedRegex("Socket errors.*|Non-2xx.*")]
    private static partial Regex WebFailure();
}
