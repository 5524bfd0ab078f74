using System.CommandLine;
using System.CommandLine.Completions;
using System.Text;

namespace Freeflow.Router.Commands;

/// <summary>Makes the script from the commands themselves. It starts no program, so that a key press costs nothing.</summary>
internal static class BashCompletion
{
    /// <summary>Names a file, whatever the command.</summary>
    private const string FileOption = "--config";

    private const string Help = "--help";

    public static string ScriptFor(RootCommand root)
    {
        var script = new StringBuilder();
        var commands = root.Subcommands.ToList();
        script.Append("""
            # Completes the commands and options of freeflow in bash.
            _freeflow() {
                local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command= words= i
                COMPREPLY=()
                for ((i = 1; i < COMP_CWORD; i++)); do
                    case ${COMP_WORDS[i]} in

            """);
        script.Append($"            {string.Join('|', commands.Select(command => command.Name))}) command=${{COMP_WORDS[i]}}; break ;;\n");
        script.Append("""
                    esac
                done
                case $command:$previous in

            """);
        foreach (var command in commands)
        {
            foreach (var option in command.Options.Where(option => option.ValueType != typeof(bool) && option.Name != Help))
                script.Append(Answer($"{command.Name}:{option.Name}", option));
        }

        script.Append("""
                esac
                case $command in

            """);
        script.Append($"        '') words='{Words([.. commands.Select(command => command.Name), Help, "--version"])}' ;;\n");
        foreach (var command in commands)
            script.Append($"        {command.Name}) words='{Words(command.Subcommands.Select(below => below.Name).Concat(command.Arguments.SelectMany(ValuesOf)).Concat(command.Options.Select(option => option.Name)).Append(Help).Distinct())}' ;;\n");
        script.Append("""
                esac
                mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
            }
            complete -F _freeflow freeflow

            """);
        return script.ToString();
    }

    /// <summary>What may follow an option that takes a value.</summary>
    private static string Answer(string pattern, Option option) => option.Name == FileOption
        ? $"        {pattern}) compopt -o filenames 2>/dev/null || :; mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return ;;\n"
        : $"        {pattern}) mapfile -t COMPREPLY < <(compgen -W '{Words(ValuesOf(option))}' -- \"$word\"); return ;;\n";

    private static IEnumerable<string> ValuesOf(Symbol symbol) => symbol.GetCompletions(CompletionContext.Empty).Select(item => item.Label);

    /// <summary>The names are the program's own; none has a quote or a blank.</summary>
    private static string Words(IEnumerable<string> words) => string.Join(' ', words);
}
