using System.Text.Encodings.Web;
using System.Text.Json;

namespace Freeflow.TestRun;

/// <summary>What a run tells: on the console, in artifacts/test.json, and in artifacts/unsteady.txt.</summary>
internal sealed class Report(Repository repository, Tier tier, string? filter, TimeSpan took)
{
    private const int Slowest = 10;

    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public required IReadOnlyList<TestOutcome> Tests { get; init; }

    /// <summary>Those that failed twice.</summary>
    public required IReadOnlyList<TestOutcome> Failed { get; init; }

    /// <summary>Those that failed, and passed alone.</summary>
    public required IReadOnlyList<TestOutcome> Unsteady { get; init; }

    /// <summary>What was wrong with the run itself.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>Where a lab was not whole before a test.</summary>
    public required IReadOnlyList<string> Mended { get; init; }

    public bool IsGood => Failed.Count == 0 && Problems.Count == 0;

    private int Passed => Tests.Count - Failed.Count - Skipped;

    private int Skipped => Tests.Count(test => test.Outcome == Outcome.Skipped);

    public static void PrintCounts(int passed, int failed, int skipped) =>
        Console.WriteLine($"{passed} passed, {failed} failed{(skipped == 0 ? "" : $", {skipped} skipped")}");

    public static void PrintProblems(IEnumerable<string> problems)
    {
        foreach (var problem in problems)
            Console.WriteLine($"problem: {problem}");
    }

    public void Write()
    {
        Directory.CreateDirectory(repository.Artifacts);
        File.WriteAllLines(Path.Combine(repository.Artifacts, "unsteady.txt"), Unsteady.Select(test => $"{test.Name}: {test.FirstLine}"));
        File.WriteAllText(Path.Combine(repository.Artifacts, "test.json"), JsonSerializer.Serialize(
            new
            {
                Commit = repository.Commit(),
                Clean = repository.IsClean(),
                Tier = tier.Name,
                Filter = filter,
                Passed,
                Failed = Failed.Count,
                Skipped,
                Unsteady = Unsteady.Select(test => test.Name),
                FailedTests = Failed.Select(test => test.Name),
                Problems,
                Seconds = Math.Round(took.TotalSeconds),
                EndedAt = DateTimeOffset.UtcNow,
            },
            s_json) + "\n");
    }

    public void Print()
    {
        Console.WriteLine($"\nslowest of {Tests.Count} tests, in {took.TotalMinutes:0.0} min:");
        foreach (var test in Tests.OrderByDescending(test => test.Duration).Take(Slowest))
            Console.WriteLine($"  {test.Duration.TotalSeconds,6:0.0} s  {test.Name}");
        foreach (var line in Mended)
            Console.WriteLine($"mended: {line}");
        foreach (var test in Failed)
            Console.WriteLine($"failed: {test.Name}: {test.FirstLine}");
        foreach (var test in Unsteady)
            Console.WriteLine($"unsteady: {test.Name}: {test.FirstLine}");
        PrintProblems(Problems);
        PrintCounts(Passed, Failed.Count, Skipped);
    }
}
