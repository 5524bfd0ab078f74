using Freeflow.Lab;

namespace Freeflow.Shim.Tests;

/// <summary>The library under test, and programs that run with it.</summary>
internal static class Shim
{
    public static string Library { get; } = LabPaths.Find().ShimLibrary;

    /// <summary>Runs a program with the preload and a /freeflow of the test's own.</summary>
    public static ProgramResult Run(string freeflow, params string[] command) => Shell.Run(
        TimeSpan.FromSeconds(30),
        new Dictionary<string, string> { ["LD_PRELOAD"] = Library, ["FREEFLOW_DIR"] = freeflow, ["FREEFLOW_LOG"] = "debug" },
        command);
}
