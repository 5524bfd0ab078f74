using System.Diagnostics;
using Freeflow.Lab;
using Freeflow.Router.Commands;

namespace Freeflow.Router.Tests.Commands;

/// <summary>The script in a real bash.</summary>
public sealed class BashCompletes : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("freeflow-completion");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("freeflow", "m", "man members")]
    [InlineData("freeflow", "co", "completion containers")]
    [InlineData("freeflow", "--h", "--help")]
    [InlineData("freeflow qps", "--", "--help --json --limit")]
    [InlineData("freeflow qps --limit", "", "")]
    [InlineData("freeflow explain --mode", "", "both rdma tcp")]
    [InlineData("freeflow explain --mode", "r", "rdma")]
    [InlineData("freeflow explain 10.0.0.1 10.0.0.2", "--t", "--tenant")]
    [InlineData("freeflow completion", "b", "bash")]
    [InlineData("freeflow ca", "i", "init issue")]
    [InlineData("freeflow run --config", "some", "some file.conf")]
    [InlineData("freeflow nonsense", "zz", "")]
    [InlineData("freeflow status --json", "--js", "--json")]
    public void CommandsOptionsAndValues(string before, string word, string expected)
    {
        File.WriteAllText(Path.Combine(_directory.FullName, "some file.conf"), "");
        var words = string.Join(' ', before.Split(' ').Append(word).Select(part => $"'{part}'"));
        var completed = Run($"COMP_WORDS=({words}); COMP_CWORD={before.Split(' ').Length}; _freeflow; printf '%s\\n' \"${{COMPREPLY[@]}}\" | sort | paste -sd' '");
        Assert.Equal(expected, completed);
    }

    [Fact]
    public void TheProgramsNameIsKnownAndNothingIsSaid() => Assert.Equal("complete -F _freeflow freeflow", Run("complete -p freeflow"));

    [Fact]
    public void EveryCommandIsThere()
    {
        var all = FreeflowCommand.Create().Subcommands.Select(command => command.Name).Append("--help").Append("--version").Order(StringComparer.Ordinal);
        Assert.Equal(string.Join(' ', all), Run("COMP_WORDS=(freeflow ''); COMP_CWORD=1; _freeflow; printf '%s\\n' \"${COMPREPLY[@]}\" | LC_ALL=C sort | paste -sd' '"));
    }

    private string Run(string commands)
    {
        var script = Path.Combine(_directory.FullName, "script");
        File.WriteAllText(script, BashCompletion.ScriptFor(FreeflowCommand.Create()));
        using var bash = Process.Start(new ProcessStartInfo("bash", ["--norc", "-euo", "pipefail", "-c", $". ./script; {commands}"])
        {
            WorkingDirectory = _directory.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (output, errors) = (bash.StandardOutput.ReadToEndAsync(), bash.StandardError.ReadToEndAsync());
        Assert.True(bash.WaitForExit(WaitFor.Scaled(TimeSpan.FromSeconds(60))), "bash has not ended");
        Assert.Equal("", errors.Result);
        Assert.Equal(0, bash.ExitCode);
        return output.Result.Trim();
    }
}
