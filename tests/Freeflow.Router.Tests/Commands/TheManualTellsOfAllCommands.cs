using System.CommandLine;
using System.Diagnostics;
using Freeflow.Lab;
using Freeflow.Router.Commands;

namespace Freeflow.Router.Tests.Commands;

public sealed class TheManualTellsOfAllCommands
{
    private static readonly string s_page = ManualPage.For(FreeflowCommand.Create());

    [Fact]
    public void WithTheirArgumentsAndOptions()
    {
        foreach (var (words, command) in Leaves(FreeflowCommand.Create(), ""))
        {
            var from = s_page.IndexOf($".SS {words}\n", StringComparison.Ordinal);
            Assert.True(from > 0, words);
            var section = s_page[from..];
            foreach (var symbol in command.Arguments.Select(argument => argument.Name).Concat(command.Options.Select(option => option.Name)).Where(name => name != "--help"))
                Assert.Contains(symbol.Replace("-", "\\-"), section);
        }
    }

    private static IEnumerable<(string Words, Command Command)> Leaves(Command above, string words) => above.Subcommands.SelectMany(
        command => command.Subcommands.Count == 0 ? [($"{words}{command.Name}", command)] : Leaves(command, $"{words}{command.Name} "));

    [SkippableFact]
    public void AsAPageThatManTakesWithoutAWarning()
    {
        Skip.IfNot(File.Exists("/usr/bin/mandoc"), "there is no mandoc; ./prerequisites --tests installs it");
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, s_page);
            using var lint = Process.Start(new ProcessStartInfo("mandoc", ["-T", "lint", "-W", "warning", file]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var said = lint.StandardOutput.ReadToEnd() + lint.StandardError.ReadToEnd();
            Assert.True(lint.WaitForExit(WaitFor.Scaled(TimeSpan.FromSeconds(60))));

            // It has no date, since nothing of it depends on one.
            Assert.DoesNotContain(said.Split('\n'), line => line.Contains("WARNING") && !line.Contains("missing date") || line.Contains("ERROR"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void OnlyInAscii() => Assert.DoesNotContain(s_page, letter => letter > '~');
}
