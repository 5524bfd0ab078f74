using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tcp.Faults;

/// <summary>A hostile container can do nothing with a host socket but talk to its one peer (tests/Programs/tcp-hostile.c).</summary>
public sealed class HostSocketsAreLocked(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 18810;
    private const int HostService = 18811;
    private const int Own = 18812;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);
    private static readonly string[] s_hosts = [LabLayout.UnderlayAddress(1), LabLayout.UnderlayAddress(2)];

    [Fact]
    public void WhetherItConnectsOrAccepts()
    {
        var (client, server) = (TcpCounters.Of(lab, "h1"), TcpCounters.Of(lab, "h2"));
        using var first = lab.StartListening("h1", HostService, "iperf3", "-s", "-p", HostService.ToString());
        using var second = lab.StartListening("h2", HostService, "iperf3", "-s", "-p", HostService.ToString());
        foreach (var host in s_hosts)
            Assert.True(Reaches("h1", host, HostService), $"the service at {host} does not answer anybody");

        using var accepting = lab.StartListening(
            "h2c1", Port, [LabFixture.TestProgram("tcp-hostile"), "accept", Port.ToString(), HostService.ToString(), Own.ToString(), .. s_hosts]);
        new Acceleration(lab, "h1c1", "h2c1").AwaitListener(Port);
        using var connecting = lab.Hosts.Start(
            "h1c1", [LabFixture.TestProgram("tcp-hostile"), "connect", LabFixture.AddressOf("h2c1"), Port.ToString(), HostService.ToString(), Own.ToString(), .. s_hosts]);

        // Both come to listen at about the same time, three tries of two seconds later.
        WaitFor.That("the end of both", s_bound, () =>
        {
            Assert.False(Reaches("h1", s_hosts[1], Own), "the accepted socket has become a listener of its host's");
            Assert.False(Reaches("h2", s_hosts[1], Own), "the accepted socket has become a listener of its host's");
            return connecting.HasExited && accepting.HasExited;
        });

        MustBeContained(connecting);
        MustBeContained(accepting);
        Assert.True(TcpCounters.Of(lab, "h1").Announced > client.Announced && TcpCounters.Of(lab, "h2").Delivered > server.Delivered);
    }

    private static void MustBeContained(BackgroundProgram program)
    {
        var result = program.Wait(s_bound);
        Assert.True(result.ExitCode == 0 && result.Output.EndsWith("contained\n", StringComparison.Ordinal), result.Everything);
        Assert.Contains("listening", result.Output);
    }

    private bool Reaches(string node, string host, int port) =>
        lab.Hosts.Exec(node, s_bound, "timeout", "1", "bash", "-c", $"exec 3<>/dev/tcp/{host}/{port}").ExitCode == 0;
}
