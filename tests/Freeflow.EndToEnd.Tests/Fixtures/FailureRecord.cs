using System.Text.Json;
using System.Text.RegularExpressions;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Fixtures;

/// <summary>
/// What the routers of a test's lab have said during it, kept beside the results where it fails, in the directory that
/// FREEFLOW_TEST_RESULTS names: what each wrote to its log, and its status afterwards.
/// </summary>
internal sealed partial class FailureRecord
{
    private const int LongestName = 120;

    private static readonly string? s_results = Environment.GetEnvironmentVariable("FREEFLOW_TEST_RESULTS");

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    private readonly LabHosts _hosts;
    private readonly IReadOnlyDictionary<string, long> _logs;

    /// <summary>Begins with what comes from now on.</summary>
    public FailureRecord(LabHosts hosts, IEnumerable<string> names) =>
        (_hosts, _logs) = (hosts, names.ToDictionary(name => name, name => new FileInfo(hosts.Paths.RouterLog(name)) is { Exists: true } log ? log.Length : 0));

    public void Keep(string test)
    {
        if (s_results is null)
            return;
        var name = Others().Replace(test.Replace("Freeflow.EndToEnd.Tests.", "", StringComparison.Ordinal), "_");
        var directory = Directory.CreateDirectory(Path.Combine(s_results, "failed", name[..Math.Min(name.Length, LongestName)])).FullName;
        foreach (var (host, from) in _logs)
        {
            File.WriteAllText(Path.Combine(directory, host + ".log"), LogSince(host, from));
            File.WriteAllText(Path.Combine(directory, host + ".status.json"), _hosts.Routers.Ask(host) is { } status ? JsonSerializer.Serialize(status, s_json) : "no router answers");
        }
    }

    /// <summary>All of it where it has become shorter: it is another lab's.</summary>
    private string LogSince(string host, long from)
    {
        var file = _hosts.Paths.RouterLog(host);
        if (!File.Exists(file))
            return "";
        using var log = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        log.Position = from <= log.Length ? from : 0;
        return new StreamReader(log).ReadToEnd();
    }

    [GeneratedRegex("[^A-Za-z0-9.-]+")]
    private static partial Regex Others();
}
