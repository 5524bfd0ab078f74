using Freeflow.Lab;

namespace Freeflow.Shim.Tests;

/// <summary>The library under test, and programs that run with it.</summary>
internal static class Shim
{
    public const string ThisMachine = "this machine's";
    public const string Arm64 = "arm64";

    public static string Library { get; } = LabPaths.Find().ShimLibrary;

    /// <summary>musl's one library, which is its loader too.</summary>
    public static string Musl => Directory.GetFiles("/lib", "ld-musl-*.so.1").Single();

    /// <summary>A program of tests/Programs, built with a C library.</summary>
    public static string Program(string name, CLibrary library) =>
        Path.Combine(AppContext.BaseDirectory, "programs", library == CLibrary.Musl ? name + "-musl" : name);

    /// <summary>The library as it was built for an architecture; skips the test where no compiler for it was there.</summary>
    public static string LibraryFor(string architecture)
    {
        if (architecture == ThisMachine)
            return Library;
        var other = Path.Combine(Path.GetDirectoryName(Library)!, architecture, Path.GetFileName(Library));
        Skip.IfNot(File.Exists(other), $"{other} was not built: there was no compiler for {architecture} (./prerequisites --tests installs it)");
        return other;
    }

    /// <summary>Runs a program with the preload and a /freeflow of the test's own.</summary>
    public static ProgramResult Run(string freeflow, params string[] command) => Shell.Run(
        TimeSpan.FromSeconds(30),
        new Dictionary<string, string> { ["LD_PRELOAD"] = Library, ["FREEFLOW_DIR"] = freeflow, ["FREEFLOW_LOG"] = "debug" },
        command);
}
