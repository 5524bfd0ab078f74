using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Programs;

/// <summary>qperf as Debian ships it, every test that it has for RC, UC and UD. It addresses its peers by LID.</summary>
public sealed class QperfRunsUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 19765;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    public static TheoryData<string, Placement> Tests => PerftestRunsUnmodified.Lines(
        "rc_bw", "uc_lat", "-m 1K ud_bi_bw", "rc_rdma_read_lat", "rc_rdma_write_poll_lat", "ver_rc_compare_swap");

    public static TheoryData<string, Placement> OtherTests => PerftestRunsUnmodified.Lines(
        "rc_lat", "rc_bi_bw", "uc_bw", "uc_bi_bw", "ud_lat", "-m 1K ud_bw",
        "rc_rdma_read_bw", "rc_rdma_write_lat", "rc_rdma_write_bw",
        "uc_rdma_write_lat", "uc_rdma_write_bw", "uc_rdma_write_poll_lat",
        "rc_compare_swap_mr", "rc_fetch_add_mr", "ver_rc_fetch_add");

    [Theory]
    [Trait("Tier", "All")]
    [MemberData(nameof(OtherTests))]
    public void TheOthersOfItsTests(string test, Placement placement) => EachOfItsTests(test, placement);

    [Theory]
    [MemberData(nameof(Tests))]
    public void EachOfItsTests(string test, Placement placement) => Run(test, placement, isFirst: false);

    /// <summary>By rdma_cm instead of addresses that it exchanges itself.</summary>
    public static TheoryData<string, Placement> TestsByRdmaCm => PerftestRunsUnmodified.Lines(
        "rc_lat", "rc_bw", "rc_bi_bw", "rc_rdma_read_bw", "rc_rdma_write_bw");

    [Theory]
    [MemberData(nameof(TestsByRdmaCm))]
    public void ByRdmaCm(string test, Placement placement) => Run($"-cm 1 {test}", placement, isFirst: true);

    /// <summary>Soft-RoCE has no XRC.</summary>
    [Theory]
    [InlineData("xrc_lat")]
    [InlineData("xrc_bw")]
    [InlineData("xrc_bi_bw")]
    public void XrcIsRefused(string test)
    {
        var (serverNode, clientNode) = (LabFixture.Server(Placement.SameHost), LabFixture.Client(Placement.SameHost));
        using var server = lab.StartListening(serverNode, Port, "qperf");
        var client = lab.Hosts.Exec(clientNode, s_bound, "qperf", LabFixture.AddressOf(serverNode), "-t", "1", test);
        Assert.InRange(client.ExitCode, 1, 123);
        Assert.Matches("(?i)xrc|not supported", client.Everything);
        lab.Hosts.Exec(clientNode, s_bound, "qperf", LabFixture.AddressOf(serverNode), "quit");
    }

    /// <param name="test">Which.</param>
    /// <param name="placement">Of the server and the client.</param>
    /// <param name="isFirst">Whether the server comes before all other programs: qperf 0.4.11 tells its client the port, and listens there by rdma_cm only then.</param>
    private void Run(string test, Placement placement, bool isFirst)
    {
        var (serverNode, clientNode) = (LabFixture.Server(placement), LabFixture.Client(placement));
        using var server = lab.StartListening(serverNode, Port, "qperf");
        if (isFirst)
            Shell.Script($"chrt --fifo --pid 1 {lab.Hosts.ProcessesIn(serverNode).Single(process => process.Name == "qperf").Pid}");
        var client = lab.Hosts.Exec(clientNode, s_bound, ["qperf", LabFixture.AddressOf(serverNode), "-t", "1", .. test.Split(' ')]);
        Assert.True(client.ExitCode == 0, client.Everything);
        Assert.Matches(@"(latency|bw|msg_rate)\s+=\s+\d", client.Output);
        Assert.DoesNotMatch(@"=\s+0 bytes/sec", client.Output);
        lab.Hosts.Exec(clientNode, s_bound, "qperf", LabFixture.AddressOf(serverNode), "quit");
    }
}
