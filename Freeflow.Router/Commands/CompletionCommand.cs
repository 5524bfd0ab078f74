using System.CommandLine;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow completion bash`: a script that lets bash complete commands and options.</summary>
internal static class CompletionCommand
{
    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "Which shell" };
        shell.AcceptOnlyFromAmong("bash");
        var command = new Command("completion", "Writes a script that completes commands and options, to be sourced or put into /etc/bash_completion.d") { shell };
        command.SetAction(parsed =>
        {
            Console.Write(BashCompletion.ScriptFor(FreeflowCommand.Create()));
            return 0;
        });
        return command;
    }
}
