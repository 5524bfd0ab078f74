using System.Text.Json;
using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Command;

[Trait("Tier", "All")]
public sealed class EventsAreTold(BreakableLab lab) : IClassFixture<BreakableLab>
{
    private const string Container = "h1c1";

    private readonly FreeflowCommand _freeflow = new(lab);

    [Fact]
    public void OfTheClusterAndOfContainers()
    {
        // One that has run for long has forgotten its first ones.
        lab.Hosts.Routers.Stop("h1");
        lab.StartRouter("h1");
        new ProgramPair(lab, Placement.AcrossHosts).Run(FreeflowCommand.Bound, "ibv_rc_pingpong", "-n", "10");
        WaitFor.That("the container and its device among the events", FreeflowCommand.Bound,
            () => Names().Contains("container-seen") && Names().Contains("device-opened") && Names().Contains("device-closed"));
        Assert.Subset(Names().ToHashSet(), new HashSet<string> { "router-ready", "member-up", "link-up", "cluster-open-within" });
        var seen = Events().Last(each => each.GetProperty("Name").GetString() == "container-seen");
        Assert.Equal(200, seen.GetProperty("Id").GetInt32());
        Assert.Contains("10.244.1.", seen.GetProperty("Facts").GetProperty("addresses").GetString());
        Assert.Matches(@"(?m)^\d{4}-\d\d-\d\dT[\d:.]+Z  info     member-up  Peers: .* is a member$", _freeflow.Text("h1", "events"));
        Assert.Contains("[100]", lab.RouterLog("h1"));
        Assert.DoesNotContain("router-ready", _freeflow.Text("h1", "events", "--since", "0s"));
    }

    [Fact]
    public void AsTheyHappenToWhoeverFollows()
    {
        using var directory = new ScratchDirectory();
        var output = Path.Combine(directory.Path, "events");
        using var follower = lab.Hosts.Start("h1", "sh", "-c", $"exec freeflow events --follow --json --limit 1 >{output}");
        var lines = 0;
        WaitFor.That("the follower's first line", FreeflowCommand.Bound, () => (lines = Lines(output).Count) > 0);
        using (lab.StartListening(Container, 18515, "ib_write_bw"))
        {
            WaitFor.That("the device's opening at the follower", FreeflowCommand.Bound,
                () => Lines(output).Skip(lines).Any(line => line.GetProperty("Event").GetProperty("Name").GetString() == "device-opened"), () => File.ReadAllText(output));
        }

        WaitFor.That("its closing", FreeflowCommand.Bound,
            () => Lines(output).Any(line => line.GetProperty("Event").GetProperty("Name").GetString() == "device-closed"), () => File.ReadAllText(output));
    }

    [Fact]
    public void ToProgramsInTheLogAsJson()
    {
        using var directory = new ScratchDirectory();
        var log = Path.Combine(directory.Path, "log");
        using var router = lab.Hosts.Start("h1", "sh", "-c", $"""
            exec env -u HOST_IP_PREFIX FREEFLOW_SEEDS=127.5.5.6 HOST_IP=127.5.5.6 FFR_NAME=third freeflow run --set freeflow.log-format=json \
                --set freeflow.admin.port=0 --set freeflow.directory={directory.Path} --set freeflow.runtime-directory={directory.Path} >{log} 2>&1
            """);
        WaitFor.That("a line of JSON for event 1", FreeflowCommand.Bound,
            () => Lines(log).Any(line => line.GetProperty("EventId").GetInt32() == 1 && line.GetProperty("State").TryGetProperty("router", out _)),
            () => File.Exists(log) ? File.ReadAllText(log) : "no log");
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("5x")]
    public void AWrongTimeIsRefused(string since) => Assert.Equal(2, _freeflow.Run("h1", "events", "--since", since).ExitCode);

    private static List<JsonElement> Lines(string file)
    {
        var output = File.Exists(file) ? File.ReadAllText(file) : "";
        return [.. output[..(output.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
    }

    private List<JsonElement> Events() => [.. _freeflow.Json("h1", "events").GetProperty("Events").EnumerateArray()];

    private List<string> Names() => [.. Events().Select(each => each.GetProperty("Name").GetString()!)];
}
