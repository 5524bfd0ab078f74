using System.Text.RegularExpressions;
using Freeflow.Lab;

namespace Freeflow.Shim.Tests;

/// <summary>The library has to load in images as old as glibc 2.17, and in musl's.</summary>
public sealed partial class SymbolsAreOldEnough
{
    [Fact]
    public void NoneIsYoungerThanGlibc217()
    {
        var versions = GlibcVersion().Matches(Objdump("-T")).Select(match => Version.Parse(match.Groups[1].Value)).Distinct().ToList();
        Assert.NotEmpty(versions);
        Assert.All(versions, version => Assert.True(version <= new Version(2, 17), $"GLIBC_{version}"));
    }

    [Fact]
    public void OnlyLibcAndLibdlAreNeeded()
    {
        var needed = Needed().Matches(Objdump("-p")).Select(match => match.Groups[1].Value).Order();
        Assert.Equal(["libc.so.6", "libdl.so.2"], needed);
    }

    [Fact]
    public void NothingIsExportedButWhatIsInterposed()
    {
        var exported = Defined().Matches(Objdump("-T")).Select(match => match.Groups[1].Value).ToList();
        Assert.Contains("open", exported);
        Assert.DoesNotContain(exported, name => name.StartsWith("ff_", StringComparison.Ordinal));
    }

    private static string Objdump(string what)
    {
        var result = Shell.Run(TimeSpan.FromSeconds(10), null, "objdump", what, Shim.Library);
        Assert.True(result.ExitCode == 0, result.Everything);
        return result.Output;
    }

    [GeneratedRegex(@"GLIBC_(\d+\.\d+)")]
    private static partial Regex GlibcVersion();

    [GeneratedRegex(@"NEEDED\s+(\S+)")]
    private static partial Regex Needed();

    [GeneratedRegex(@"g\s+DF \.text\s+\S+\s+(?:\S+\s+)?(\S+)$", RegexOptions.Multiline)]
    private static partial Regex Defined();
}
