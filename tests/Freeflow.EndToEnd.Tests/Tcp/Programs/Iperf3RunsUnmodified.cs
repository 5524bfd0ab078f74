using System.Text.Json;

namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

public sealed class Iperf3RunsUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 5201;

    /// <summary>iperf3's options, and the data streams that they make.</summary>
    public static TheoryData<string, int, Placement> Ways
    {
        get
        {
            var data = new TheoryData<string, int, Placement>();
            foreach (var placement in Enum.GetValues<Placement>())
            {
                data.Add("-P 1", 1, placement);
                data.Add("-P 8", 8, placement);
                data.Add("-P 32", 32, placement);
                data.Add("-R -P 2", 2, placement);
                data.Add("--bidir -P 2", 4, placement);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void InStreams(string options, int streams, Placement placement)
    {
        using var server = new ServerProgram(lab, placement, Port, "iperf3", "-s", "-p", $"{Port}");
        var said = server.Run(["iperf3", "-c", server.Address, "-p", $"{Port}", "-t", "1", "-J", .. options.Split(' ')]);
        var report = JsonSerializer.Deserialize<JsonElement>(said);
        var connected = report.GetProperty("start").GetProperty("connected").EnumerateArray().ToList();
        Assert.Equal(streams, connected.Count);
        Assert.All(connected, stream => Assert.Equal(
            (server.ClientAddress, server.Address, Port),
            (stream.GetProperty("local_host").GetString(), stream.GetProperty("remote_host").GetString(), stream.GetProperty("remote_port").GetInt32())));
        var received = report.GetProperty("end").GetProperty("streams").EnumerateArray()
            .Select(stream => stream.GetProperty("receiver").GetProperty("bytes").GetInt64()).ToList();
        Assert.Equal(streams, received.Count);
        Assert.True(received.TrueForAll(bytes => bytes > 0), said);

        // One more, on which the two agree about the test.
        server.MustHaveAccelerated(streams + 1);
        server.MustHaveSparedTheOverlay(received.Sum());
    }
}
