using System.Text.Json;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Command;

[Trait("Tier", "All")]
public sealed class QueuePairsAreShown(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 18515;

    /// <summary>More than the send queue has room for.</summary>
    private const uint ManySends = 1000;

    private const string Server = "h2c1";
    private const string Client = "h1c1";

    private readonly FreeflowCommand _freeflow = new(lab);

    [Fact]
    public void OnBothHostsEachWithItsPeer()
    {
        using var server = lab.StartListening(Server, Port, "ib_send_bw", "--run_infinitely");
        using var client = lab.Hosts.Start(Client, "ib_send_bw", "--run_infinitely", LabFixture.AddressOf(Server));
        WaitFor.That("a QP with its peer on either host", FreeflowCommand.Bound, () => Connected("h1", Client).Count == 1 && Connected("h2", Server).Count == 1);
        var (one, other) = (Connected("h1", Client)[0], Connected("h2", Server)[0]);
        MustBePeers(one, other);
        MustBePeers(other, one);
        WaitFor.That("sends and receives that are counted", FreeflowCommand.Bound,
            () => Connected("h1", Client)[0].GetProperty("Sends").GetUInt32() > one.GetProperty("Sends").GetUInt32() + ManySends
                && Connected("h2", Server)[0].GetProperty("Receives").GetUInt32() > other.GetProperty("Receives").GetUInt32());

        var line = _freeflow.Text("h1", "qps").Split('\n').Single(candidate => candidate.Contains($" {LabFixture.AddressOf(Client)} "));
        var number = one.GetProperty("Number").GetUInt32();
        Assert.Equal([$"{number}", "RC", "RTS", LabFixture.AddressOf(Client)], line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..4]);
        TheContainerHoldsThem();
        TheRoutersAreLinked();
        var why = _freeflow.Run("h1", "explain", LabFixture.AddressOf(Client), LabFixture.AddressOf(Server), "--mode", "rdma");
        Assert.True(why.ExitCode == 0, why.Everything);
        Assert.Contains("RDMA: possible", why.Output);
    }

    [Fact]
    public void NoMoreThanTheLimit()
    {
        using var server = lab.StartListening("h1c2", Port, "ib_write_bw", "-q", "8", "--run_infinitely");
        using var client = lab.Hosts.Start("h1c3", "ib_write_bw", "-q", "8", "--run_infinitely", LabFixture.AddressOf("h1c2"));
        WaitFor.That("16 QPs", FreeflowCommand.Bound, () => _freeflow.Json("h1", "qps").GetProperty("Total").GetInt32() >= 16);
        var few = _freeflow.Json("h1", "qps", "--limit", "3");
        Assert.Equal(3, few.GetProperty("QueuePairs").GetArrayLength());
        Assert.True(few.GetProperty("Total").GetInt32() >= 16);
        Assert.Contains("more are not shown", _freeflow.Text("h1", "qps", "--limit", "3"));
    }

    private List<JsonElement> Connected(string host, string container) =>
        [.. _freeflow.Json(host, "qps").GetProperty("QueuePairs").EnumerateArray().Select(entry => entry.GetProperty("QueuePair"))
            .Where(pair => pair.GetProperty("Peer").ValueKind == JsonValueKind.String && pair.GetProperty("Local").GetString() == LabFixture.AddressOf(container))];

    private static void MustBePeers(JsonElement one, JsonElement other)
    {
        Assert.Equal(one.GetProperty("Local").GetString(), other.GetProperty("Peer").GetString());
        Assert.Equal(one.GetProperty("Number").GetUInt32(), other.GetProperty("PeerNumber").GetUInt32());
        Assert.Equal("RC", one.GetProperty("Type").GetString());
        Assert.Contains(one.GetProperty("State").GetString(), (string[])["RTR", "RTS"]);
        Assert.Contains("192.168.50.", one.GetProperty("Router").GetString());
    }

    private void TheContainerHoldsThem()
    {
        var container = _freeflow.Json("h1", "containers").GetProperty("Containers").EnumerateArray()
            .Single(candidate => candidate.GetProperty("Addresses").EnumerateArray().Any(address => address.GetProperty("Address").GetString() == LabFixture.AddressOf(Client)));
        var objects = container.GetProperty("Objects");
        Assert.Equal(1, objects.GetProperty("QueuePairs").GetInt32());
        Assert.True(objects.GetProperty("RegisteredBytes").GetInt64() > 0, container.GetRawText());
        Assert.Contains(container.GetProperty("Processes").EnumerateArray(), process => process.GetProperty("Kind").GetString() == "verbs");
        Assert.Contains($"{LabFixture.AddressOf(Client)}%eth0", _freeflow.Text("h1", "containers"));
    }

    private void TheRoutersAreLinked()
    {
        var members = _freeflow.Json("h1", "members").GetProperty("Members").EnumerateArray().ToList();
        Assert.Equal(2, members.Count);
        Assert.Equal(["own", "up"], members.Select(member => member.GetProperty("DataLink").GetString()!).Order());
        Assert.Equal(["own", "up"], members.Select(member => member.GetProperty("HandoverLink").GetString()!).Order());
        Assert.Equal([1, 2], members.Select(member => member.GetProperty("Age").GetInt32()));
        Assert.Equal(2, _freeflow.Text("h1", "members").Split('\n').Count(line => line.Contains(" Up ")));
    }
}
