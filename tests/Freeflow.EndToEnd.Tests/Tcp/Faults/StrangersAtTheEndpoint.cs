using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tcp.Faults;

/// <summary>What connects to TCP mode's port and is no announced connection is closed within a bound, counted, and leaves nothing.</summary>
public sealed class StrangersAtTheEndpoint(LabFixture lab) : IClassFixture<LabFixture>
{
    private const string Endpoint = "192.168.50.2";

    /// <summary>Descriptors that a runtime opens and closes as it likes.</summary>
    private const int Slack = 5;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void UnannouncedFromARoutersAddress(bool isIpv6)
    {
        var before = TcpCounters.Of(lab, "h2");
        var port = isIpv6 ? before.Ipv6EndpointPort : before.EndpointPort;
        var held = Descriptors();
        // Silent, slow and full of garbage; each ends when the router closes it.
        var result = lab.Hosts.Exec("h1", s_bound, "timeout", "20", "bash", "-c", $$"""
            for i in $(seq 20); do (exec 3<>/dev/tcp/{{Endpoint}}/{{port}}; read -r -u 3 line; exit 0) & done
            for i in $(seq 20); do (exec 3<>/dev/tcp/{{Endpoint}}/{{port}}; head -c 100000 /dev/urandom >&3; read -r -u 3 line; exit 0) & done
            (exec 3<>/dev/tcp/{{Endpoint}}/{{port}}; for i in 1 2 3 4 5 6 7 8; do echo x >&3 || exit 0; sleep 0.3; done; exit 0) &
            wait; echo closed
            """);
        Assert.Equal("closed\n", result.Output);
        WaitFor.That("41 unannounced connections counted", s_bound, () => TcpCounters.Of(lab, "h2").Unannounced - before.Unannounced == 41);
        WaitFor.That("no descriptor kept", s_bound, () => Descriptors() <= held + Slack, () => $"{held} before, {Descriptors()} now");
    }

    [Fact]
    public void FromAnAddressThatIsNoRouters()
    {
        var before = TcpCounters.Of(lab, "h2");
        var result = lab.Hosts.Exec("h1c1", s_bound, "timeout", "10", "bash", "-c",
            $"for i in $(seq 20); do (exec 3<>/dev/tcp/{Endpoint}/{before.EndpointPort}; read -r -u 3 line) & done; wait; echo closed");
        Assert.Equal("closed\n", result.Output);
        Assert.Equal(20, TcpCounters.Of(lab, "h2").Strangers - before.Strangers);
    }

    private int Descriptors() => Directory.GetFiles($"/proc/{lab.Hosts.Routers.PidOf("h2")}/fd").Length;
}
