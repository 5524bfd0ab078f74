using System.Diagnostics;

namespace Freeflow.TestRun;

/// <summary>What a run of a suite left.</summary>
/// <param name="Tests">Its tests, as far as it came.</param>
/// <param name="Problem">Why it did not come to its end; null: it did.</param>
internal sealed record SuiteResult(IReadOnlyList<TestOutcome> Tests, string? Problem);

/// <summary>A test assembly of the build.</summary>
internal sealed class Suite(Repository repository, string name)
{
    private static int s_runs;

    public string Name => name;

    private string Assembly => Path.Combine(repository.Artifacts, "bin", name, "release", name + ".dll");

    /// <summary>Runs what the filter names (empty: all), in a process of its own. Leaves its results in artifacts/test/.</summary>
    public async Task<SuiteResult> RunAsync(string filter, TimeSpan bound, CancellationToken stop)
    {
        var trx = Path.Combine(repository.Results, $"{name}-{Interlocked.Increment(ref s_runs)}.trx");
        string[] filtered = filter.Length == 0 ? [] : ["--filter", filter];
        var start = new ProcessStartInfo(
            "dotnet", ["test", Assembly, "--nologo", "--logger", $"trx;LogFileName={trx}", "--logger", "console;verbosity=minimal", .. filtered]);
        start.Environment["FREEFLOW_TEST_RESULTS"] = repository.Results;
        var problem = await EndAsync(start, bound, stop);
        return File.Exists(trx)
            ? new SuiteResult(TrxFile.Read(name, trx), problem ?? TrxFile.Problem(trx))
            : new SuiteResult([], problem ?? "left no results");
    }

    /// <summary>Runs the process to its end, and says what was wrong with it, but for tests that failed.</summary>
    private static async Task<string?> EndAsync(ProcessStartInfo start, TimeSpan bound, CancellationToken stop)
    {
        using var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(bound);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode is 0 or 1 ? null : $"ended with status {process.ExitCode}";
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            stop.ThrowIfCancellationRequested();
            return $"not finished within {bound.TotalMinutes:0} min";
        }
    }
}
