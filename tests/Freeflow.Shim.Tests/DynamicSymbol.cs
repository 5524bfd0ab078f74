using Freeflow.Lab;

namespace Freeflow.Shim.Tests;

/// <summary>A line of a library's dynamic symbol table, as objdump -T prints it. <c>Version</c> is empty where the symbol has none.</summary>
internal sealed record DynamicSymbol(string Name, string Version, bool IsDefined, bool IsFunction, bool IsWeak)
{
    private const int WeakAt = 18;
    private const int DynamicAt = 22;
    private const int FunctionAt = 23;

    public static IReadOnlyList<DynamicSymbol> Of(string objdump, string library)
    {
        var result = Shell.Run(TimeSpan.FromSeconds(10), null, objdump, "-T", library);
        Assert.True(result.ExitCode == 0, result.Everything);
        // Lines with a `d` are of sections.
        var symbols = result.Output.Split('\n').Where(line => line.Contains('\t') && line[DynamicAt] == 'D').Select(Parse).ToList();
        Assert.NotEmpty(symbols);
        return symbols;
    }

    /// <summary>`ADDRESS FLAGS SECTION\tSIZE (VERSION) NAME`; the flags are seven columns.</summary>
    private static DynamicSymbol Parse(string line)
    {
        var halves = line.Split('\t');
        var words = halves[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new DynamicSymbol(
            words[^1],
            words.Length > 2 && words[1] != "Base" ? words[1].Trim('(', ')') : "",
            !halves[0].EndsWith("*UND*", StringComparison.Ordinal),
            halves[0][FunctionAt] == 'F',
            halves[0][WeakAt] == 'w');
    }
}
