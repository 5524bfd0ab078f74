using System.Text.Json;
using Freeflow.EndToEnd.Tests.Programs;

namespace Freeflow.EndToEnd.Tests.Command;

[Trait("Tier", "All")]
public sealed class RoutersArePinged(LabFixture lab) : IClassFixture<LabFixture>
{
    private readonly FreeflowCommand _freeflow = new(lab);

    [Theory]
    [InlineData("192.168.50.2")]
    [InlineData("192.168.50.2:4480")]
    [InlineData("10.244.2.11")]
    public void ByTheirAddressOrAContainers(string target)
    {
        new ProgramPair(lab, Placement.AcrossHosts).Run(FreeflowCommand.Bound, "ibv_rc_pingpong", "-n", "10");
        var lines = _freeflow.Text("h1", "ping", target, "--count", "20", "--interval", "1", "--json").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(20, lines.Length);
        Assert.All(lines, line => Assert.True(JsonSerializer.Deserialize<JsonElement>(line).GetProperty("Microseconds").GetDouble() > 0, line));
        var text = _freeflow.Text("h1", "ping", target, "--count", "3");
        Assert.Matches(@"(?m)^192\.168\.50\.2:4480: seq=3 time=[\d.]+ µs$", text);
        Assert.Matches(@"(?m)^3 sent, 3 answered, 0 % lost$", text);
        Assert.Matches(@"(?m)^min/median/mean/max = ([\d.]+/){3}[\d.]+ µs$", text);
    }

    [Theory]
    [InlineData("192.168.50.1", 1, "on this host")]
    [InlineData("10.9.9.9", 1, "neither a member nor the address of a container")]
    [InlineData("192.168.50.2:1", 1, "neither a member nor the address of a container")]
    [InlineData("router2", 2, "is neither an address nor address:port")]
    public void OthersAreNot(string target, int exitCode, string why)
    {
        var result = _freeflow.Run("h1", "ping", target);
        Assert.True(result.ExitCode == exitCode, result.Everything);
        Assert.Contains(why, result.Everything);
    }
}
