using System.CommandLine;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow man`: the manual page, for man to show.</summary>
internal static class ManualCommand
{
    public static Command Create()
    {
        var command = new Command("man", "Writes the manual page, to be put into /usr/share/man/man1/freeflow.1 or shown by man -l -");
        command.SetAction(parsed =>
        {
            Console.Write(ManualPage.For(FreeflowCommand.Create()));
            return 0;
        });
        return command;
    }
}
