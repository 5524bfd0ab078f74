using System.Text.RegularExpressions;
using Freeflow.Lab;

namespace Freeflow.Shim.Tests;

/// <summary>The library has to load in images as old as glibc 2.17, and in musl's, on every architecture.</summary>
public sealed partial class SymbolsAreOldEnough
{
    public static TheoryData<string> Architectures => [Shim.ThisMachine, Shim.Arm64];

    [SkippableTheory]
    [MemberData(nameof(Architectures))]
    public void NoneIsYoungerThanGlibc217(string architecture)
    {
        // What the loader refuses a library for: also names without a number, such as GLIBC_ABI_DT_RELR or GLIBC_PRIVATE.
        var dump = Dump(architecture);
        var from = dump.IndexOf("Version References:", StringComparison.Ordinal);
        Assert.True(from >= 0, dump);
        var versions = RequiredVersion().Matches(dump[from..]).Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(versions);
        Assert.All(versions, name => Assert.True(
            GlibcVersion().Match(name) is { Success: true } match && Version.Parse(match.Groups[1].Value) < new Version(2, 18), name));
    }

    [SkippableTheory]
    [MemberData(nameof(Architectures))]
    public void OnlyLibcAndLibdlAreNeeded(string architecture)
    {
        var needed = Needed().Matches(Dump(architecture)).Select(match => match.Groups[1].Value).Order();
        Assert.Equal(["libc.so.6", "libdl.so.2"], needed);
    }

    [SkippableTheory]
    [MemberData(nameof(Architectures))]
    public void NothingIsExportedButWhatIsInterposed(string architecture)
    {
        var exported = Symbols(architecture).Where(symbol => symbol.IsDefined).ToList();
        Assert.Contains(exported, symbol => symbol.Name == "open");
        Assert.All(exported, symbol => Assert.True(symbol.IsFunction, symbol.ToString()));
        Assert.DoesNotContain(exported, symbol => symbol.Name.StartsWith("ff_", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [MemberData(nameof(Architectures))]
    public void WhatIsNeededWasFoundWhenItWasLinked(string architecture)
    {
        // A function of a library that is not linked (libm's, or one that nobody has) gets no version, and no complaint.
        var strangers = Needs(architecture).Where(symbol => !symbol.Version.StartsWith("GLIBC_", StringComparison.Ordinal)).Select(symbol => symbol.Name);
        Assert.Empty(strangers);
    }

    [SkippableTheory]
    [MemberData(nameof(Architectures))]
    public void WhatIsNeededIsInMuslToo(string architecture)
    {
        // musl has the same functions on every architecture, so this machine's tells for all.
        var musl = DynamicSymbol.Of("objdump", Shim.Musl).Where(symbol => symbol.IsDefined).Select(symbol => symbol.Name).ToHashSet();
        Assert.Contains("open", musl);
        var missing = Needs(architecture).Select(symbol => symbol.Name).Except(musl);
        Assert.Empty(missing);
    }

    [SkippableTheory]
    [MemberData(nameof(Architectures))]
    public void NoInterposedNameIsCalledFromWithin(string architecture)
    {
        // Such a call would come back into the library, with its locks held.
        var result = Shell.Run(TimeSpan.FromSeconds(10), null, Objdump(architecture), "-R", Shim.LibraryFor(architecture));
        Assert.True(result.ExitCode == 0, result.Everything);
        var used = Relocation().Matches(result.Output).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.Contains("malloc", used);
        Assert.Empty(Symbols(architecture).Where(symbol => symbol.IsDefined && used.Contains(symbol.Name)).Select(symbol => symbol.Name));
    }

    [SkippableFact]
    public void EveryArchitectureInterposesTheSame()
    {
        static IEnumerable<string> Exports(string architecture) =>
            Symbols(architecture).Where(symbol => symbol.IsDefined).Select(symbol => symbol.Name).Order(StringComparer.Ordinal);
        Assert.Equal(Exports(Shim.ThisMachine), Exports(Shim.Arm64));
    }

    /// <summary>What must be found for the library to load; of what is weak the library itself sees whether it is there.</summary>
    private static IEnumerable<DynamicSymbol> Needs(string architecture) =>
        Symbols(architecture).Where(symbol => symbol is { IsDefined: false, IsWeak: false });

    private static IReadOnlyList<DynamicSymbol> Symbols(string architecture) =>
        DynamicSymbol.Of(Objdump(architecture), Shim.LibraryFor(architecture));

    private static string Dump(string architecture)
    {
        var result = Shell.Run(TimeSpan.FromSeconds(10), null, Objdump(architecture), "-p", Shim.LibraryFor(architecture));
        Assert.True(result.ExitCode == 0, result.Everything);
        return result.Output;
    }

    private static string Objdump(string architecture) => architecture == Shim.Arm64 ? "aarch64-linux-gnu-objdump" : "objdump";

    [GeneratedRegex(@"^\s+0x[0-9a-f]+ 0x[0-9a-f]+ \d+ (\S+)$", RegexOptions.Multiline)]
    private static partial Regex RequiredVersion();

    [GeneratedRegex(@"^GLIBC_(\d+\.\d+(?:\.\d+)?)$")]
    private static partial Regex GlibcVersion();

    [GeneratedRegex(@"^[0-9a-f]+ R_\S+\s+([^\s@+*]+)", RegexOptions.Multiline)]
    private static partial Regex Relocation();

    [GeneratedRegex(@"NEEDED\s+(\S+)")]
    private static partial Regex Needed();
}
