using System.Text.Json;
using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Command;

[Trait("Tier", "All")]
public sealed class TransfersAreMeasured(LabFixture lab) : IClassFixture<LabFixture>
{
    private readonly FreeflowCommand _freeflow = new(lab);

    [Theory]
    [InlineData("192.168.50.1", "192.168.50.2", "192.168.50.2:4480")]
    [InlineData("192.168.50.1", "192.168.50.1", "192.168.50.1:4480")]
    [InlineData("10.244.1.11", "10.244.2.11", "192.168.50.2:4480")]
    [InlineData("10.244.1.11", "10.244.1.12", "192.168.50.1:4480")]
    public void BetweenRoutersAndContainers(string source, string destination, string router)
    {
        // Containers are known while a program with the library runs in them.
        using var one = lab.StartListening(source.StartsWith("10.", StringComparison.Ordinal) ? "h1c1" : "h1c2", 18520, "ibv_rc_pingpong", "-p", "18520");
        using var other = lab.StartListening(destination == "10.244.2.11" ? "h2c1" : "h1c2", 18521, "ibv_rc_pingpong", "-p", "18521");
        var lines = _freeflow.Text("h1", "perf", source, destination, "--seconds", "1", "--json").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var result = JsonSerializer.Deserialize<JsonElement>(lines[^1]);
        Assert.True(result.GetProperty("IsDone").GetBoolean());
        Assert.Equal(router, result.GetProperty("To").GetString());
        Assert.True(result.GetProperty("Bytes").GetInt64() >= 65536, lines[^1]);
        Assert.True(result.GetProperty("BytesPerSecond").GetDouble() > 0);
        Assert.InRange(result.GetProperty("MedianMicroseconds").GetDouble(), 0.01, result.GetProperty("P99Microseconds").GetDouble());
        Assert.Contains("2-byte WRITE to its completion", _freeflow.Text("h1", "perf", source, destination, "--seconds", "1", "--size", "1"));
    }

    [Theory]
    [InlineData("192.168.50.2", "192.168.50.1", 1, "the source is not on this host but at 192.168.50.2:4480: measure there")]
    [InlineData("192.168.50.1", "10.9.9.9", 1, "10.9.9.9 is neither the address of a container nor of a router")]
    [InlineData("router1", "192.168.50.1", 2, "is no address")]
    public void OthersAreRefused(string source, string destination, int exitCode, string why)
    {
        var result = _freeflow.Run("h1", "perf", source, destination);
        Assert.True(result.ExitCode == exitCode, result.Everything);
        Assert.Contains(why, result.Everything);
    }

    [Fact]
    public void OneAtATime()
    {
        using var directory = new ScratchDirectory();
        var output = Path.Combine(directory.Path, "perf");
        // Within a router one engine is busy, and not two: they go before everything else, on a machine that may have two processors.
        string[] measure = ["perf", "192.168.50.1", "192.168.50.1"];
        using (lab.Hosts.Start("h1", "sh", "-c", $"exec freeflow {string.Join(' ', measure)} --seconds 50 --json >{output}"))
        {
            WaitFor.That("the first one's progress", FreeflowCommand.Bound, () => File.Exists(output) && File.ReadAllText(output).Contains("\"BytesPerSecond\""));
            // The first one may leave the second's program so little of the processor that it takes too long to ask.
            ProgramResult second = null!;
            WaitFor.That("why the second one is refused", FreeflowCommand.Bound, () =>
            {
                second = _freeflow.Run("h1", [.. measure, "--seconds", "1"]);
                Assert.Equal(1, second.ExitCode);
                return second.Everything.Contains("freeflow: another measurement is under way at this router, which makes one at a time");
            }, () => second.Everything);
        }

        WaitFor.That("another one, once the first has ended", FreeflowCommand.Bound, () => _freeflow.Run("h1", [.. measure, "--seconds", "1"]).ExitCode == 0);
    }

    [Fact]
    public void NothingIsLeftAfterwards()
    {
        _freeflow.Text("h1", "perf", "192.168.50.1", "192.168.50.2", "--seconds", "1");
        WaitFor.That("its QPs gone at both ends", FreeflowCommand.Bound, () => QueuePairs("h1") == 0 && QueuePairs("h2") == 0);
    }

    private int QueuePairs(string host) => lab.Status(host).GetProperty("Engine").GetProperty("QueuePairs").GetInt32();
}
