namespace Freeflow.EndToEnd.Tests.Programs;

/// <summary>rdma-core's own tools and examples, as Debian ships them.</summary>
public sealed class RdmaCoreExamplesRunUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    public static TheoryData<string, Placement> PingPongs => PerftestRunsUnmodified.Lines(
        "ibv_rc_pingpong", "ibv_rc_pingpong -e", "ibv_rc_pingpong -g 0", "ibv_rc_pingpong -e -g 0", "ibv_rc_pingpong -c -s 65536");

    public static TheoryData<string, Placement> UnreliablePingPongs => PerftestRunsUnmodified.Lines(
        "ibv_uc_pingpong", "ibv_uc_pingpong -e", "ibv_uc_pingpong -g 0", "ibv_uc_pingpong -e -g 0", "ibv_uc_pingpong -c -s 65536",
        "ibv_ud_pingpong", "ibv_ud_pingpong -e", "ibv_ud_pingpong -g 0", "ibv_ud_pingpong -e -g 0", "ibv_ud_pingpong -c");

    [Theory]
    [MemberData(nameof(UnreliablePingPongs))]
    public void UnreliablePingPong(string line, Placement placement) => PingPong(line, placement);

    /// <summary>Soft-RoCE has no XRC.</summary>
    [Fact]
    public void XrcIsRefusedWhereItBegins()
    {
        var result = lab.Hosts.Exec("h1c1", s_bound, "ibv_xsrq_pingpong");
        Assert.Equal(1, result.ExitCode);
        Assert.Matches("XRC Domain (95|.*not supported)", result.Everything);
    }

    public static TheoryData<string, Placement> SharedReceives => PerftestRunsUnmodified.Lines(
        "ibv_srq_pingpong", "ibv_srq_pingpong -e", "ibv_srq_pingpong -g 0 -q 4 -r 100 -s 65536", "ibv_srq_pingpong -e -g 0");

    [Theory]
    [MemberData(nameof(PingPongs))]
    [MemberData(nameof(SharedReceives))]
    public void PingPong(string line, Placement placement)
    {
        var said = new ProgramPair(lab, placement).Run(s_bound, line.Split(' '));
        Assert.Contains("1000 iters in", said);
    }

    [Fact]
    public void DevicesListsTheOneDevice()
    {
        var result = lab.Hosts.Exec("h1c1", s_bound, "ibv_devices");
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Matches(@"rxe_ff0\s+[0-9a-f]{16}", result.Output);
    }

    [Fact]
    public void DevinfoShowsAnActivePortWithTheContainersOwnAddressAsGid()
    {
        var result = lab.Hosts.Exec("h1c2", s_bound, "ibv_devinfo", "-v");
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Matches(@"state:\s+PORT_ACTIVE", result.Output);
        Assert.Matches(@"link_layer:\s+Ethernet", result.Output);
        Assert.Matches(@"GID\[\s*0\]:\s+::ffff:10\.244\.1\.12, RoCE v2", result.Output);
    }

    [Fact]
    public void SysfsAgreesWithDevinfo()
    {
        const string Port = "/sys/class/infiniband/rxe_ff0/ports/1";
        var result = lab.Hosts.Exec("h2c1", s_bound, "sh", "-c",
            $"cat {Port}/gids/0 {Port}/gid_attrs/types/0 {Port}/gid_attrs/ndevs/0 {Port}/link_layer");
        Assert.Equal("0000:0000:0000:0000:0000:ffff:0af4:020b\nRoCE v2\neth0\nEthernet\n", result.Output);
    }
}
