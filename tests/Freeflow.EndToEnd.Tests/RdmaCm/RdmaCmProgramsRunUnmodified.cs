using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.RdmaCm;

/// <summary>rdma-core's examples for rdma_cm and perftest with -R, as Debian ships them.</summary>
public sealed class RdmaCmProgramsRunUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void Rping(Placement placement)
    {
        var (client, server) = Run(placement, "rping -s -v -C 1000", "rping -c -a ADDRESS -v -C 1000");
        Assert.Contains("ping data: rdma-ping-999: ", client);
        Assert.Contains("server ping data: rdma-ping-998: ", server);
    }

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void RpingWithLargerMessagesAndValidation(Placement placement) =>
        Run(placement, "rping -s -V -S 32768 -C 50", "rping -c -a ADDRESS -V -S 32768 -C 50");

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void RdmaClientAndServer(Placement placement) =>
        Assert.Contains("rdma_client: end 0", Run(placement, "rdma_server", "rdma_client -s ADDRESS").Client);

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void RdmaXclientAndXserver(Placement placement) =>
        Assert.Contains("rdma_xclient: end 0", Run(placement, "rdma_xserver", "rdma_xclient -s ADDRESS").Client);

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void Ucmatose(Placement placement) =>
        Assert.Contains("return status 0", Run(placement, "ucmatose -c 10", "ucmatose -s ADDRESS -c 10").Client);

    /// <summary>Every id moves to another event channel before it is used.</summary>
    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void UcmatoseWithIdsThatMigrate(Placement placement) =>
        Assert.Contains("return status 0", Run(placement, "ucmatose -c 10 -m", "ucmatose -s ADDRESS -c 10 -m").Client);

    /// <summary>Addresses and service ids of InfiniBand instead of IP's.</summary>
    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void UcmatoseByGids(Placement placement)
    {
        var pair = new CmPair(lab, placement);
        var (own, gid) = (LabFixture.AddressOf(pair.ClientNode), $"::ffff:{pair.ServerAddress}");
        var said = Run(placement, $"ucmatose -f gid -P ib -b {gid}", $"ucmatose -f gid -P ib -s {gid} -b ::ffff:{own}");
        Assert.Contains("return status 0", said.Client);
    }

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void Udaddy(Placement placement) => Assert.Contains("return status 0", Run(placement, "udaddy -c 4", "udaddy -s ADDRESS -c 4").Client);

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void Mckey(Placement placement)
    {
        var pair = new CmPair(lab, placement);
        using var receiver = lab.Hosts.Start(pair.ServerNode, ["stdbuf", "-oL", "mckey", "-m", "239.1.2.3", "-b", pair.ServerAddress]);
        // What is sent earlier is lost, as with any group.
        receiver.AwaitOutput("joined dgid");
        var sender = pair.Ask(s_bound, "mckey", "-m", "239.1.2.3", "-s", "-b", LabFixture.AddressOf(pair.ClientNode));
        var received = receiver.Wait(TimeSpan.FromSeconds(10));
        Assert.True(sender.ExitCode == 0 && received.ExitCode == 0, $"{sender.Everything}\n{received.Everything}");
        Assert.Contains("data transfers complete", received.Output);
    }

    public static TheoryData<string, Placement> Perftest => PerftestRunsUnmodified.Lines(
        "ib_send_lat -e", "ib_write_bw -q 4", "ib_send_bw -c UD", "ib_send_bw --use-srq");

    public static TheoryData<string, Placement> MorePerftest => PerftestRunsUnmodified.Lines(
        "ib_send_bw", "ib_write_bw", "ib_read_bw", "ib_write_lat", "ib_send_lat", "ib_read_lat", "ib_atomic_bw", "ib_atomic_lat",
        "ib_send_lat -c UD", "ib_send_lat -c UD -e", "ib_send_bw -c UD -e", "ib_send_bw -e", "ib_read_bw -e", "ib_atomic_bw -e",
        "ib_send_bw -b", "ib_write_bw -b", "ib_send_lat -I 100 -s 64");

    [Theory]
    [MemberData(nameof(Perftest))]
    public void PerftestByRdmaCm(string line, Placement placement) =>
        new CmPair(lab, placement).RunPerftest(s_bound, [.. line.Split(' '), "-R", "-n", "500"]);

    [Theory]
    [Trait("Tier", "All")]
    [MemberData(nameof(MorePerftest))]
    public void MorePerftestByRdmaCm(string line, Placement placement) => PerftestByRdmaCm(line, placement);

    /// <summary>cmtime's server serves for ever.</summary>
    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void Cmtime(Placement placement)
    {
        var pair = new CmPair(lab, placement);
        using var server = pair.Listen("cmtime", "-c", "50");
        var client = pair.Ask(s_bound, "cmtime", "-s", "ADDRESS", "-c", "50");
        Assert.True(client.ExitCode == 0, client.Everything);
        Assert.Matches(@"disconnect\s*:\s+\d", client.Output);
    }

    private (string Client, string Server) Run(Placement placement, string serving, string asking) =>
        new CmPair(lab, placement).Run(s_bound, serving.Split(' '), asking.Split(' '));
}
