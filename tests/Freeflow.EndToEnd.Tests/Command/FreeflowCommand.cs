using System.Text.Json;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Command;

/// <summary>The command, as an operator types it on a host.</summary>
internal sealed class FreeflowCommand(LabFixture lab)
{
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    public ProgramResult Run(string host, params string[] words) => lab.Hosts.Exec(host, Bound, ["freeflow", .. words]);

    public string Text(string host, params string[] words)
    {
        var result = Run(host, words);
        Assert.True(result.ExitCode == 0, result.Everything);
        return result.Output;
    }

    public JsonElement Json(string host, params string[] words) => JsonSerializer.Deserialize<JsonElement>(Text(host, [.. words, "--json"]));
}
