using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.EndToEnd.Tests.RdmaCm;

namespace Freeflow.EndToEnd.Tests.Images;

/// <summary>
/// RDMA programs of Debian's releases, with rdma-core from 33 on, each by itself within a host and across, and every two of
/// them as server and client. They sleep for their completions where they can (-e), since what spins gets its turn rarely
/// where four routers share a machine.
/// </summary>
[Trait("Tier", "All")]
public sealed class ReleasesTalkToEachOther(ReleasesLab lab) : IClassFixture<ReleasesLab>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(120);

    /// <summary>A server's release, a client's, and where they are.</summary>
    public static TheoryData<string, string, Placement> Pairs
    {
        get
        {
            var pairs = new TheoryData<string, string, Placement>();
            foreach (var server in ReleasesLab.Suites)
            {
                pairs.Add(server, server, Placement.SameHost);
                foreach (var client in ReleasesLab.Suites)
                    pairs.Add(server, client, Placement.AcrossHosts);
            }

            return pairs;
        }
    }

    public static TheoryData<string> Suites => [.. ReleasesLab.Suites];

    [SkippableTheory]
    [MemberData(nameof(Suites))]
    public void TheDeviceIsSeen(string suite)
    {
        lab.MustHave(suite);
        var (node, _) = ReleasesLab.Nodes(suite, suite, Placement.SameHost);
        var listed = lab.Hosts.Exec(node, s_bound, "ibv_devices");
        Assert.True(listed.ExitCode == 0, listed.Everything);
        Assert.Matches(@"rxe_ff0\s+[0-9a-f]{16}", listed.Output);
        var shown = lab.Hosts.Exec(node, s_bound, "ibv_devinfo", "-v");
        Assert.True(shown.ExitCode == 0, shown.Everything);
        Assert.Matches(@"state:\s+PORT_ACTIVE", shown.Output);
        // Older libraries write every GID as one of IPv6.
        Assert.Matches(@"GID\[\s*0\]:\s+(::ffff:10\.244\.|0000:0000:0000:0000:0000:ffff:0af4:)", shown.Output);
    }

    /// <summary>Datagrams by GID: libraries before rdma-core 37 refuse an address without one themselves, as for every RoCE device.</summary>
    [SkippableTheory]
    [MemberData(nameof(Pairs))]
    public void PingPongs(string server, string client, Placement placement)
    {
        foreach (var line in new[] { "ibv_rc_pingpong -e", "ibv_uc_pingpong -e", "ibv_ud_pingpong -e -g 0", "ibv_srq_pingpong -e -q 4" })
            Assert.Contains("200 iters in", Programs(server, client, placement).Run(s_bound, $"{line} -n 200".Split(' ')));
    }

    /// <summary>perftest 4.4, 4.5 and 25.01 understand each other in these.</summary>
    [SkippableTheory]
    [MemberData(nameof(Pairs))]
    public void Perftest(string server, string client, Placement placement)
    {
        foreach (var line in new[] { "ib_send_bw -e", "ib_write_bw", "ib_read_lat -e", "ib_atomic_lat -e" })
            Programs(server, client, placement).Run(s_bound, $"{line} -n 200".Split(' '));
    }

    [SkippableTheory]
    [MemberData(nameof(Pairs))]
    public void PerftestByRdmaCm(string server, string client, Placement placement) =>
        Connected(server, client, placement).RunPerftest(s_bound, "ib_send_bw", "-e", "-n", "200", "-R");

    [SkippableTheory]
    [MemberData(nameof(Pairs))]
    public void Rping(string server, string client, Placement placement)
    {
        var said = Connect(server, client, placement, "rping -s -v -C 100", "rping -c -a ADDRESS -v -C 100");
        Assert.Contains("ping data: rdma-ping-99: ", said.Client);
        Assert.Contains("server ping data: rdma-ping-98: ", said.Server);
    }

    [SkippableTheory]
    [MemberData(nameof(Pairs))]
    public void ConnectionsAndDatagrams(string server, string client, Placement placement)
    {
        Assert.Contains("return status 0", Connect(server, client, placement, "ucmatose -c 10", "ucmatose -s ADDRESS -c 10").Client);
        Assert.Contains("return status 0", Connect(server, client, placement, "udaddy -c 4", "udaddy -s ADDRESS -c 4").Client);
        Assert.Contains("rdma_client: end 0", Connect(server, client, placement, "rdma_server", "rdma_client -s ADDRESS").Client);
    }

    [SkippableTheory]
    [MemberData(nameof(Pairs))]
    public void Rsockets(string server, string client, Placement placement) =>
        Connect(server, client, placement, "rstream -T b -S 65536 -C 50", "rstream -T b -S 65536 -C 50 -s ADDRESS");

    private ProgramPair Programs(string server, string client, Placement placement)
    {
        lab.MustHave(server, client);
        var nodes = ReleasesLab.Nodes(server, client, placement);
        return new ProgramPair(lab, nodes.Server, nodes.Client);
    }

    private CmPair Connected(string server, string client, Placement placement)
    {
        lab.MustHave(server, client);
        var nodes = ReleasesLab.Nodes(server, client, placement);
        return new CmPair(lab, nodes.Server, nodes.Client);
    }

    private (string Client, string Server) Connect(string server, string client, Placement placement, string serving, string asking) =>
        Connected(server, client, placement).Run(s_bound, serving.Split(' '), asking.Split(' '));
}
