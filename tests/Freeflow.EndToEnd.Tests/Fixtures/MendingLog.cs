namespace Freeflow.EndToEnd.Tests.Fixtures;

/// <summary>Where a run is told which labs were not whole before a test: one line each, in the file that FREEFLOW_TEST_MENDED names.</summary>
internal static class MendingLog
{
    private static readonly string? s_file = Environment.GetEnvironmentVariable("FREEFLOW_TEST_MENDED");
    private static readonly Lock s_lock = new();

    public static void Write(string test, string? before, string what)
    {
        if (s_file is null)
            return;
        lock (s_lock)
            File.AppendAllText(s_file, $"before {test}{(before is null ? "" : $", after {before}")}: {what}\n");
    }
}
