using System.Text.Json;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Command;

[Trait("Tier", "All")]
public sealed class RatesAreShown(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 18515;
    private const string Server = "h2c1";
    private const string Client = "h1c1";

    private readonly FreeflowCommand _freeflow = new(lab);

    [Fact]
    public void OfContainersAndOfPeers()
    {
        using var server = lab.StartListening(Server, Port, "ib_send_bw", "--run_infinitely");
        using var client = lab.Hosts.Start(Client, "ib_send_bw", "--run_infinitely", LabFixture.AddressOf(Server));
        WaitFor.That("traffic in top", FreeflowCommand.Bound, () => Of("h1", Client) is { } rate && rate.GetProperty("SentBytes").GetDouble() > 1 << 20);
        WaitFor.That("the same at its receiver", FreeflowCommand.Bound, () => Of("h2", Server) is { } rate && rate.GetProperty("ReceivedBytes").GetDouble() > 1 << 20);
        var top = _freeflow.Json("h1", "top");
        Assert.InRange(top.GetProperty("Busy").GetDouble(), 1e-6, 1);
        var peer = Assert.Single(top.GetProperty("Peers").EnumerateArray());
        Assert.Equal("192.168.50.2:4480", peer.GetProperty("Address").GetString());
        Assert.True(peer.GetProperty("SentBytes").GetDouble() > 1 << 20, peer.GetRawText());
        var text = _freeflow.Text("h1", "top", "--once", "--interval", "0.5");
        Assert.Contains("RDMA OUT/s", text);
        Assert.Matches($@"(?m)^{LabFixture.AddressOf(Client)} +default +1 +[\d.]+ [KMG]iB", text);
        Assert.Matches(@"(?m)^192\.168\.50\.2:4480 +up ", text);
    }

    [Fact]
    public void OfAcceleratedConnections()
    {
        using var server = lab.StartListening(Server, 5231, "iperf3", "-s", "-p", "5231");
        using var client = lab.Hosts.Start(Client, "iperf3", "-c", LabFixture.AddressOf(Server), "-p", "5231", "-t", "600");
        WaitFor.That("what iperf3 sends in top", FreeflowCommand.Bound, () => Of("h1", Client) is { } rate && rate.GetProperty("TcpSentBytes").GetDouble() > 1 << 20);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("soon")]
    public void AWrongIntervalIsRefused(string interval) => Assert.Equal(2, _freeflow.Run("h1", "top", "--interval", interval).ExitCode);

    private JsonElement? Of(string host, string container) => _freeflow.Json(host, "top").GetProperty("Containers").EnumerateArray()
        .Where(rate => rate.GetProperty("Address").GetString() == LabFixture.AddressOf(container)).Select(rate => (JsonElement?)rate).FirstOrDefault();
}
