using System.Diagnostics;
using System.Security.Cryptography;
using Freeflow.Lab;
using Freeflow.Router.Installation;

namespace Freeflow.Router.Tests.Installation;

/// <summary>Into a directory that others may have written to, as containers do that mount it writable.</summary>
public sealed class TheLibraryIsInstalled : IDisposable
{
    private const UnixFileMode ForAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("freeflow-install");
    private readonly byte[] _library = RandomNumberGenerator.GetBytes(100_000);

    public TheLibraryIsInstalled()
    {
        Directory.CreateDirectory(Target);
        Directory.CreateDirectory(Path.Combine(Libraries, ShimInstaller.Architecture));
        File.WriteAllBytes(Path.Combine(Libraries, ShimInstaller.Architecture, ShimInstaller.Library), _library);
    }

    private string Target => Path.Combine(_directory.FullName, "freeflow");

    private string Libraries => Path.Combine(_directory.FullName, "shim");

    private string Installed => Path.Combine(Target, ShimInstaller.Library);

    private string Beside => Path.Combine(Target, ".libfsocket.so.router1");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void WhereThereIsNone()
    {
        var said = Install();
        Assert.Equal(new ShimInstallation(Installed, Convert.ToHexStringLower(SHA256.HashData(_library)), IsNew: true), said);
        MustBeInPlace();
    }

    [Theory]
    [InlineData(50_000)]
    [InlineData(100_000)]
    [InlineData(0)]
    public void InTheOthersPlaceWhichRunningProgramsKeep(int length)
    {
        var older = new byte[length];
        File.WriteAllBytes(Installed, older);
        using var running = File.OpenRead(Installed);
        Assert.True(Install().IsNew);
        MustBeInPlace();
        using var kept = new MemoryStream();
        running.CopyTo(kept);
        Assert.Equal(older, kept.ToArray());
    }

    [Fact]
    public void OnceOnly()
    {
        Install();
        var (made, node) = (File.GetLastWriteTimeUtc(Installed), NodeOf(Installed));
        Assert.False(Install().IsNew);
        Assert.Equal((made, node), (File.GetLastWriteTimeUtc(Installed), NodeOf(Installed)));
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead)]
    [InlineData(ForAll | UnixFileMode.OtherWrite)]
    [InlineData(ForAll | UnixFileMode.SetUser)]
    public void AgainWhereOthersMayWriteOrNotReadIt(UnixFileMode mode)
    {
        File.WriteAllBytes(Installed, _library);
        File.SetUnixFileMode(Installed, mode);
        Assert.True(Install().IsNew);
        MustBeInPlace();
    }

    [Fact]
    public void NotThroughALinkThatSomebodyHasLeft()
    {
        var victim = Path.Combine(_directory.FullName, "victim");
        File.WriteAllText(victim, "as it was");
        File.CreateSymbolicLink(Installed, victim);
        File.CreateSymbolicLink(Beside, victim);
        Install();
        MustBeInPlace();
        Assert.Equal("as it was", File.ReadAllText(victim));
    }

    [Fact]
    public void InThePlaceOfALinkToTheSame()
    {
        var elsewhere = Path.Combine(_directory.FullName, "elsewhere");
        File.WriteAllBytes(elsewhere, _library);
        File.SetUnixFileMode(elsewhere, ForAll);
        File.CreateSymbolicLink(Installed, elsewhere);
        Assert.True(Install().IsNew);
        MustBeInPlace();
    }

    [Fact]
    public void InThePlaceOfAPipeThatNobodyWritesTo()
    {
        foreach (var pipe in new[] { Installed, Beside })
            Run("mkfifo", pipe);
        Install();
        MustBeInPlace();
    }

    [Fact]
    public void OrTheDirectoryIsMissed()
    {
        Directory.Delete(Target);
        var problem = Assert.Throws<IOException>(Install);
        Assert.Contains($"{Target} is not there", problem.Message);
        Assert.Contains($"-v {Target}:{Target}", problem.Message);
        MustBeOneLine(problem);
    }

    [Theory]
    [InlineData("libfsocket.so")]
    [InlineData(".libfsocket.so.router1")]
    public void OrWhatIsInItsWayIsTold(string name)
    {
        Directory.CreateDirectory(Path.Combine(Target, name, "full"));
        var problem = Assert.Throws<IOException>(Install);
        Assert.Contains($"libfsocket.so can't be put into {Target}", problem.Message);
        MustBeOneLine(problem);
        Assert.False(File.Exists(Beside));
    }

    [Fact]
    public void OrTheRouterHasNoneForThisMachine()
    {
        Directory.Delete(Libraries, recursive: true);
        var problem = Assert.Throws<IOException>(Install);
        Assert.Contains($"this router has no libfsocket.so for {ShimInstaller.Architecture}", problem.Message);
        MustBeOneLine(problem);
        Assert.Empty(Directory.GetFileSystemEntries(Target));
    }

    [SkippableFact]
    public void OrTheDirectoryIsReadOnly()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "mounts need root");
        Run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", Target);
        try
        {
            var problem = Assert.Throws<IOException>(Install);
            Assert.Contains($"Read-only file system", problem.Message);
            Assert.Contains($"mount it writable into the router's container (-v {Target}:{Target})", problem.Message);
            MustBeOneLine(problem);
        }
        finally
        {
            Run("umount", Target);
        }
    }

    [SkippableFact]
    public void OrTheDirectoryIsFullAndWhatWasThereStays()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "mounts need root");
        Run("mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", Target);
        try
        {
            File.WriteAllText(Installed, "older");
            var problem = Assert.Throws<IOException>(Install);
            Assert.Contains("No space left on device", problem.Message);
            Assert.Equal("older", File.ReadAllText(Installed));
            Assert.Equal([Installed], Directory.GetFileSystemEntries(Target));
        }
        finally
        {
            Run("umount", Target);
        }
    }

    private ShimInstallation Install() => new ShimInstaller(Libraries, Target, "router1").Install();

    private void MustBeInPlace()
    {
        Assert.Null(new FileInfo(Installed).LinkTarget);
        Assert.Equal(_library, File.ReadAllBytes(Installed));
        Assert.Equal(ForAll, File.GetUnixFileMode(Installed));
        Assert.Equal([Installed], Directory.GetFileSystemEntries(Target));
    }

    private static void MustBeOneLine(Exception problem) => Assert.Single(problem.Message.Split('\n'));

    private static string NodeOf(string path) => Run("stat", "-c", "%i", path);

    private static string Run(params string[] command)
    {
        using var program = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!;
        var said = program.StandardOutput.ReadToEnd();
        Assert.True(program.WaitForExit(WaitFor.Scaled(TimeSpan.FromSeconds(60))), string.Join(' ', command));
        Assert.Equal(0, program.ExitCode);
        return said;
    }
}
