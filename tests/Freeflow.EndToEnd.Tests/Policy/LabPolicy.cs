using System.Text.Json;
using Freeflow.EndToEnd.Tests.Command;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Policy;

/// <summary>The policy files of the lab's hosts (hocon/lab.conf), and those of labels; at the end they forbid nothing again.</summary>
internal sealed class LabPolicy(LabFixture lab) : IDisposable
{
    public const string File = "/run/freeflow/policy.conf";

    public const string LabelFile = "/run/freeflow/labels";

    private static readonly string[] s_hosts = ["h1", "h2"];

    private readonly FreeflowCommand _freeflow = new(lab);
    private int _number;

    /// <summary>Puts one into place on every host, and waits until it holds there.</summary>
    public void Put(string text)
    {
        foreach (var host in s_hosts)
            Put(host, text);
    }

    /// <summary>Likewise on one host.</summary>
    public void Put(string host, string text)
    {
        // What makes it another than the one before, for the wait.
        var mark = $"mark-{Environment.ProcessId}-{++_number}";
        Write(host, text + $"\ntenants.{mark} {{ }}\n");
        WaitFor.That($"the policy in force on {host}", FreeflowCommand.Bound,
            () => _freeflow.Run(host, "policy", "show").Output.Contains(mark + ' ', StringComparison.Ordinal), () => _freeflow.Run(host, "policy", "show").Everything);
    }

    /// <summary>Writes the file, by renaming it into its place.</summary>
    public void Write(string host, string text) => Write(host, File, "printf %s \"$1\"", text);

    /// <summary>Writes every host's file of labels.</summary>
    public void Label(params string[] lines)
    {
        foreach (var host in s_hosts)
            Write(host, LabelFile, "printf %s \"$1\"", string.Join('\n', lines));
    }

    /// <summary>Writes a host's file of labels.</summary>
    /// <param name="host">Whose.</param>
    /// <param name="script">A shell's, whose output is the file: it may be anything.</param>
    public void LabelBy(string host, string script) => Write(host, LabelFile, script);

    public JsonElement Show(string host) => _freeflow.Json(host, "policy", "show");

    public void Dispose()
    {
        foreach (var host in s_hosts)
        {
            Put(host, "");
            Write(host, LabelFile, "true");
        }
    }

    private void Write(string host, string file, string script, params string[] arguments)
    {
        var result = lab.Hosts.Exec(host, FreeflowCommand.Bound, ["sh", "-c", $"({script}) > {file}.new && mv {file}.new {file}", "sh", .. arguments]);
        Assert.True(result.ExitCode == 0, result.Everything);
    }
}
