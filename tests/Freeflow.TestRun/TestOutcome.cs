namespace Freeflow.TestRun;

internal enum Outcome
{
    Passed,
    Failed,
    Skipped,
}

/// <summary>What became of one test.</summary>
/// <param name="Suite">Its assembly.</param>
/// <param name="Method">Class and method, with the namespace.</param>
/// <param name="Name">The same with its arguments.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Message">Why it failed, or was skipped.</param>
internal sealed record TestOutcome(string Suite, string Method, string Name, Outcome Outcome, TimeSpan Duration, string Message)
{
    public string FirstLine => Message.Split('\n', 2)[0].Trim();
}
