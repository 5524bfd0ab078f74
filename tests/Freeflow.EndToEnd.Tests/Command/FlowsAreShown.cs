using System.Text.Json;
using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Command;

[Trait("Tier", "All")]
public sealed class FlowsAreShown(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 5222;
    private const int NobodysPort = 9;
    private const string Server = "h2c2";
    private const string Client = "h1c2";

    private readonly FreeflowCommand _freeflow = new(lab);

    private static string ServerAddress => LabFixture.AddressOf(Server);

    private static string ClientAddress => LabFixture.AddressOf(Client);

    [Fact]
    public void WhileTheyLastWithWhatTheyHaveCarried()
    {
        var acceleration = new Acceleration(lab, Client, Server);
        using var server = lab.StartListening(Server, Port, "iperf3", "-s", "-p", $"{Port}");
        acceleration.AwaitListener(Port);
        using (lab.Hosts.Start(Client, "iperf3", "-c", ServerAddress, "-p", $"{Port}", "-t", "600"))
        {
            WaitFor.That("iperf3's two flows, with bytes", FreeflowCommand.Bound,
                () => Flows().Count >= 2 && Flows().Any(flow => flow.GetProperty("BytesSent").GetUInt64() > 1 << 20));
            var before = Flows().Max(flow => flow.GetProperty("BytesSent").GetUInt64());
            WaitFor.That("more bytes", FreeflowCommand.Bound, () => Flows().Max(flow => flow.GetProperty("BytesSent").GetUInt64()) > before);
            Assert.All(Flows(), flow => Assert.StartsWith(ClientAddress + ":", flow.GetProperty("Local").GetString()));
            Assert.All(Flows(), flow => Assert.StartsWith("192.168.50.2:448", flow.GetProperty("Router").GetString()));
            Assert.Contains($" {ServerAddress}:{Port} ", _freeflow.Text("h1", "flows"));
            Explained("TCP: accelerated", 0, $"{ServerAddress}:{Port}", "--mode", "tcp");
            Explained($"port {Port}", 0, ServerAddress, "--mode", "tcp");
        }

        WaitFor.That("no flows after the client's end", FreeflowCommand.Bound, () => Flows().Count == 0);
    }

    [Fact]
    public void SoAreDestinationsThatArePlainAndWhy()
    {
        using var server = lab.StartListening(Server, Port, "iperf3", "-s", "-p", $"{Port}");
        using var client = lab.Hosts.Start(Client, "bash", "-c", $": 3<>/dev/tcp/{ServerAddress}/{NobodysPort}; sleep 600; :");
        JsonElement[] Plain() => [.. _freeflow.Json("h1", "flows").GetProperty("Plain").EnumerateArray()
            .Where(plain => plain.GetProperty("Destination").GetString() == $"{ServerAddress}:{NobodysPort}")];
        WaitFor.That("a plain destination without a listener", FreeflowCommand.Bound,
            () => Plain() is [var plain] && plain.GetProperty("Reason").GetString() == "NoListener");
        var line = _freeflow.Text("h1", "flows").Split('\n').Single(candidate => candidate.StartsWith($"{ServerAddress}:{NobodysPort} ", StringComparison.Ordinal));
        Assert.Contains("no program with the library listens there", line);
        Explained("NO   a program with the library listens there", 1, $"{ServerAddress}:{NobodysPort}", "--mode", "tcp");
        Explained("NO   the destination is another container", 1, $"{ClientAddress}:{NobodysPort}");
        Explained("NO   a router has the destination address", 1, "10.244.9.9");
    }

    private void Explained(string expected, int exitCode, string destination, params string[] options)
    {
        var result = _freeflow.Run("h1", ["explain", ClientAddress, destination, .. options]);
        Assert.True(result.ExitCode == exitCode, result.Everything);
        Assert.Contains(expected, result.Output);
        var json = _freeflow.Run("h1", ["explain", ClientAddress, destination, .. options, "--json"]);
        Assert.True(json.ExitCode == exitCode, json.Everything);
        Assert.Equal(ClientAddress, JsonSerializer.Deserialize<JsonElement>(json.Output).GetProperty("Source").GetString());
    }

    private List<JsonElement> Flows() =>
        [.. _freeflow.Json("h1", "flows").GetProperty("Flows").EnumerateArray().Where(flow => flow.GetProperty("Peer").GetString() == $"{ServerAddress}:{Port}")];
}
