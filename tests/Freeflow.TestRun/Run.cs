using System.Diagnostics;

namespace Freeflow.TestRun;

/// <summary>A run of the tests of a tier, or of those that a filter names.</summary>
internal sealed class Run(Repository repository, Tier tier, string? filter)
{
    /// <summary>With more unsteady tests than this a run has failed.</summary>
    private const int MostUnsteady = 10;

    /// <summary>Where more than this have failed, trying each again would tell nothing new.</summary>
    private const int MostTriedAgain = 2 * MostUnsteady;

    private static readonly TimeSpan s_alone = TimeSpan.FromMinutes(10);

    private readonly string _filter = TestFilter.Both(filter ?? "", tier.Filter);
    private readonly IReadOnlyDictionary<string, Suite> _suites = tier.Suites.ToDictionary(name => name, name => new Suite(repository, name));
    private readonly long _startedAt = Stopwatch.GetTimestamp();

    /// <summary>Runs each test once, and those that fail once more. Returns the exit status.</summary>
    public async Task<int> OnceAsync(CancellationToken stop)
    {
        var mended = new MendedLabs(repository);
        var (tests, problems) = await AllAsync(stop);
        var failed = tests.Where(test => test.Outcome == Outcome.Failed).ToList();
        var unsteady = new List<TestOutcome>();
        if (failed.Count > MostTriedAgain)
            problems.Add($"{failed.Count} tests failed: too many to try each once more");
        else
            unsteady.AddRange(await TryAgainAsync(failed, stop));
        if (unsteady.Count > MostUnsteady)
            problems.Add($"{unsteady.Count} tests are unsteady, more than {MostUnsteady}");
        if (tests.Count == 0)
            problems.Add("no test was run");

        var report = new Report(repository, tier, filter, Stopwatch.GetElapsedTime(_startedAt))
        {
            Tests = tests,
            Failed = [.. failed.Except(unsteady)],
            Unsteady = unsteady,
            Problems = problems,
            Mended = mended.Read(),
        };
        report.Write();
        report.Print();
        return report.IsGood ? 0 : 1;
    }

    /// <summary>Runs the tests that many times, and prints how often each failed. Returns the exit status.</summary>
    public async Task<int> RepeatAsync(int times, CancellationToken stop)
    {
        var failures = new Dictionary<string, int>();
        var (passed, failed, skipped) = (0, 0, 0);
        List<string> problems = [];
        for (var round = 1; round <= times; round++)
        {
            Console.WriteLine($"round {round} of {times}");
            var (tests, found) = await AllAsync(stop);
            problems.AddRange(found);
            passed += tests.Count(test => test.Outcome == Outcome.Passed);
            skipped += tests.Count(test => test.Outcome == Outcome.Skipped);
            foreach (var test in tests.Where(test => test.Outcome == Outcome.Failed))
            {
                failed++;
                failures[test.Name] = failures.GetValueOrDefault(test.Name) + 1;
            }
        }

        Report.PrintProblems(problems);
        foreach (var (name, count) in failures.OrderByDescending(failure => failure.Value))
            Console.WriteLine($"failed {count} of {times}: {name}");
        Report.PrintCounts(passed, failed, skipped);
        return passed > 0 && failed == 0 && problems.Count == 0 ? 0 : 1;
    }

    private async Task<(List<TestOutcome> Tests, List<string> Problems)> AllAsync(CancellationToken stop)
    {
        List<TestOutcome> tests = [];
        List<string> problems = [];
        foreach (var suite in _suites.Values)
        {
            var result = await suite.RunAsync(_filter, tier.Bound, stop);
            tests.AddRange(result.Tests);
            if (result.Problem is { } problem)
                problems.Add($"{suite.Name} {problem}");
        }

        return (tests, problems);
    }

    /// <summary>Runs each that failed alone, in a process and a lab of its own. Returns those that pass then.</summary>
    private async Task<List<TestOutcome>> TryAgainAsync(IReadOnlyList<TestOutcome> failed, CancellationToken stop)
    {
        var passed = new List<TestOutcome>();
        foreach (var test in failed)
        {
            Console.WriteLine($"once more, alone: {test.Name}");
            var result = await _suites[test.Suite].RunAsync(TestFilter.Exactly(test), s_alone, stop);
            if (result is { Tests.Count: 0, Problem: null })
                result = await _suites[test.Suite].RunAsync(TestFilter.Method(test), s_alone, stop);
            var again = result.Tests.Where(other => other.Name == test.Name).ToList();
            if (result.Problem is null && again.Count > 0 && again.TrueForAll(other => other.Outcome == Outcome.Passed))
                passed.Add(test);
        }

        return passed;
    }
}
