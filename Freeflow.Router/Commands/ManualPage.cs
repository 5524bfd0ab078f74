using System.CommandLine;
using System.Text;

namespace Freeflow.Router.Commands;

/// <summary>Makes the manual page, freeflow(1), from the commands themselves, so that it tells of what there is.</summary>
internal static class ManualPage
{
    private const string Help = "--help";

    private static readonly (string Name, string What)[] s_environment =
    [
        ("FFR_NAME", "name of the router (freeflow.name)"),
        ("FREEFLOW_DIR", "directory that containers mount as /freeflow (freeflow.directory)"),
        ("FREEFLOW_RUNTIME_DIR", "directory of the control socket (freeflow.runtime-directory)"),
        ("HOST_IP, HOST_IP_PREFIX", "this host's address on the underlay, or the network that it is in (freeflow.host)"),
        ("FREEFLOW_SEEDS, FREEFLOW_SEED_FILE, FREEFLOW_SEED_NAME", "where to find the cluster: addresses, comma-separated; a file with one a line; a name of DNS (freeflow.cluster)"),
        ("FREEFLOW_TLS_CA, FREEFLOW_TLS_CERTIFICATE, FREEFLOW_TLS_KEY", "certificates by which routers know each other (freeflow.tls)"),
        ("FREEFLOW_LOG_LEVEL", "trace, debug, info, warning or error (freeflow.log-level)"),
    ];

    private static readonly (string Status, string Meaning)[] s_statuses =
    [
        ("0", "it was done, or the answer is yes"),
        ("1", "no router answers, it refuses, or the answer is no"),
        ("2", "the command was typed wrongly"),
        ("75", "run: the router was removed from its cluster and has to be started anew"),
        ("78", "run: the settings are wrong"),
    ];

    public static string For(RootCommand root)
    {
        var page = new StringBuilder();
        page.Append(".\\\" Made by freeflow man.\n.TH FREEFLOW 1 \"\" \"Freeflow\" \"User Commands\"\n");
        page.Append($".SH NAME\nfreeflow \\- RDMA and host\\-speed TCP for containers\n");
        page.Append(".SH SYNOPSIS\n");
        var commands = Leaves(root, "").ToList();
        foreach (var (name, command) in commands)
            page.Append($"{(command == commands[0].Command ? "" : ".br\n")}{Synopsis(name, command)}");
        page.Append(".SH DESCRIPTION\n");
        page.Append(Line("freeflow run is the router of a host. The other commands look at this host, most of them by asking its router over the control socket, "
            + "which only root can open. They find it by the router's own settings from the environment."));
        page.Append(".SH COMMANDS\n");
        foreach (var (name, command) in commands)
            Append(page, name, command);
        page.Append(".SH EXIT STATUS\n");
        foreach (var (status, meaning) in s_statuses)
            page.Append($".TP\n.B {status}\n{Line(meaning)}");
        page.Append(".SH ENVIRONMENT\n");
        foreach (var (name, what) in s_environment)
            page.Append($".TP\n.B {Escape(name)}\n{Line(what)}");
        page.Append(".SH FILES\n.TP\n.I /run/freeflow/NAME.control\nThe control socket of the router that is called NAME.\n");
        return page.ToString();
    }

    /// <summary>The commands that do something, with all their words.</summary>
    private static IEnumerable<(string Name, Command Command)> Leaves(Command above, string words)
    {
        foreach (var command in above.Subcommands.Where(command => !command.Hidden))
        {
            var name = words + command.Name;
            if (command.Subcommands.Count == 0)
                yield return (name, command);
            foreach (var below in Leaves(command, name + " "))
                yield return below;
        }
    }

    private static void Append(StringBuilder page, string name, Command command)
    {
        page.Append($".SS {Escape(name)}\n{Synopsis(name, command)}.PP\n{Line((command.Description ?? "") + ".")}");
        foreach (var argument in command.Arguments)
            page.Append($".TP\n.I {Escape(argument.Name)}\n{Line(argument.Description ?? "")}");
        foreach (var option in command.Options.Where(option => option.Name != Help && !option.Hidden))
        {
            var names = string.Join(", ", option.Aliases.Prepend(option.Name).Select(alias => $"\\fB{Escape(alias)}\\fR"));
            page.Append($".TP\n{names}{(TakesValue(option) ? $" \\fI{ValueOf(option)}\\fR" : "")}\n{Line((option.Description ?? "") + Default(option))}");
        }
    }

    private static string Synopsis(string name, Command command)
    {
        var words = command.Arguments.Select(argument => $" \\fI{Escape(argument.Name)}\\fR").Append(command.Options.Any(option => option.Name != Help) ? " [\\fIOPTION\\fR]..." : "");
        return $"\\fBfreeflow {Escape(name)}\\fR{string.Concat(words)}\n";
    }

    private static bool TakesValue(Option option) => option.ValueType != typeof(bool);

    private static string ValueOf(Option option) => Escape(option.Name.TrimStart('-').ToUpperInvariant());

    private static string Default(Option option) =>
        TakesValue(option) && option.HasDefaultValue && option.GetDefaultValue() is { } value and not Array ? $" ({value} if it is not given)" : "";

    /// <summary>A line of text: none that begins with a dot or a quote is taken for a request.</summary>
    private static string Line(string text)
    {
        var line = Escape(text);
        return (line.StartsWith('.') || line.StartsWith('\'') ? "\\&" : "") + line + "\n";
    }

    private static string Escape(string text) => text.Replace("\\", "\\e").Replace("-", "\\-").Replace("…", "...").Replace("µ", "u");
}
