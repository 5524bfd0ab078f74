using System.Security.Cryptography;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.RdmaCm;

/// <summary>rsockets, which librdmacm makes of rdma_cm and verbs: its own examples, and programs that know of sockets only.</summary>
public sealed class RsocketProgramsRunUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int UdpongPort = 7174;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(100);

    [Theory]
    [InlineData("-S 65536 -C 1000", Placement.SameHost)]
    [InlineData("-S 65536 -C 1000", Placement.AcrossHosts)]
    [InlineData("-T n -T v -S 4096 -C 500", Placement.SameHost)]
    [InlineData("-T n -T v -S 4096 -C 500", Placement.AcrossHosts)]
    [InlineData("-T b -T v -S 1048576 -C 20", Placement.SameHost)]
    [InlineData("-T b -T v -S 1048576 -C 20", Placement.AcrossHosts)]
    public void Rstream(string options, Placement placement) => Run(placement, $"rstream {options}", $"rstream {options} -s ADDRESS");

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void Riostream(Placement placement) => Run(placement, "riostream -S 65536 -C 200", "riostream -S 65536 -C 200 -s ADDRESS");

    /// <summary>rcopy's server serves for ever.</summary>
    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void Rcopy(Placement placement)
    {
        var directory = Directory.CreateTempSubdirectory("freeflow-rcopy");
        try
        {
            var (from, to) = (Path.Combine(directory.FullName, "from"), Path.Combine(directory.FullName, "to"));
            File.WriteAllBytes(from, RandomNumberGenerator.GetBytes(20_000_001));
            var pair = new CmPair(lab, placement);
            using var server = pair.Listen("rcopy");
            var client = pair.Ask(s_bound, "rcopy", from, $"ADDRESS:{to}");
            Assert.True(client.ExitCode == 0, client.Everything);
            Assert.Equal(File.ReadAllBytes(from), File.ReadAllBytes(to));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>
    /// Datagrams: a socket of the kernel's tells where the other's QP is, and everything else is UD. The server serves for ever;
    /// without an address of its own udpong binds to the loopback's.
    /// </summary>
    [Theory]
    [InlineData("-S 1000 -C 100000", Placement.SameHost)]
    [InlineData("-S 1000 -C 100000", Placement.AcrossHosts)]
    [InlineData("-T e -S 900 -C 1000", Placement.SameHost)]
    [InlineData("-T e -S 900 -C 1000", Placement.AcrossHosts)]
    [InlineData("-T b -T e -S 64 -C 1000", Placement.SameHost)]
    [InlineData("-T b -T e -S 64 -C 1000", Placement.AcrossHosts)]
    [InlineData("-T a -T e -S 512 -C 1000", Placement.SameHost)]
    [InlineData("-T a -T e -S 512 -C 1000", Placement.AcrossHosts)]
    [InlineData("-T n -T e -S 512 -C 1000", Placement.SameHost)]
    [InlineData("-T n -T e -S 512 -C 1000", Placement.AcrossHosts)]
    public void Udpong(string options, Placement placement)
    {
        var pair = new CmPair(lab, placement);
        string[] command = ["udpong", .. options.Split(' ')];
        using var server = lab.Hosts.Start(pair.ServerNode, [.. command, "-b", pair.ServerAddress]);
        WaitFor.That($"a server on UDP port {UdpongPort}", TimeSpan.FromSeconds(10), () => lab.ReceivesOverUdp(pair.ServerNode, UdpongPort) || server.HasExited);
        var before = Datagrams(pair);
        var client = pair.Ask(s_bound, [.. command, "-s", "ADDRESS"]);
        Assert.True(client.ExitCode == 0, client.Everything);
        Assert.Matches(@"custom\s+\d+", client.Output);
        // Until the other's QP is known datagrams go through the kernel's socket. A thread of librdmacm's sees to it: before it answers
        // the first one that it gets, but beside those that nobody answers, of which there are the more.
        Assert.True(Datagrams(pair) - before >= 200, $"{Datagrams(pair) - before} datagrams through the engine");
    }

    /// <summary>A server that forks for each connection; librspreload makes the socket an rsocket in the child.</summary>
    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void AServerThatForks(Placement placement)
    {
        string[] command = [.. Librspreload.Words, "RDMAV_FORK_SAFE=1", "rstream", "-T", "f", "-S", "4096", "-C", "100"];
        var pair = new CmPair(lab, placement);
        using var server = lab.StartListening(pair.ServerNode, 7471, command);
        var client = pair.Ask(s_bound, [.. command, "-s", "ADDRESS"]);
        Assert.True(client.ExitCode == 0, client.Everything);
        Assert.Equal(0, server.Wait(TimeSpan.FromSeconds(10)).ExitCode);
    }

    [Theory]
    [Trait("Tier", "All")]
    [InlineData("", Placement.SameHost)]
    [InlineData("-R", Placement.AcrossHosts)]
    [InlineData("-P 2", Placement.SameHost)]
    [InlineData("-P 2", Placement.AcrossHosts)]
    public void Iperf3UnderLibrspreloadEitherWay(string options, Placement placement) => Iperf3UnderLibrspreload(options, placement);

    [Theory]
    [InlineData("", Placement.AcrossHosts)]
    public void Iperf3UnderLibrspreload(string options, Placement placement)
    {
        var asking = $"iperf3 -t 2 {options} -c ADDRESS".Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (client, _) = new CmPair(lab, placement).Run(s_bound, [.. Librspreload.Words, "iperf3", "-s", "-1"], [.. Librspreload.Words, .. asking]);
        Assert.Contains("iperf Done.", client);
        Assert.DoesNotContain(" 0.00 bits/sec                  receiver", client);
    }

    private long Datagrams(CmPair pair) => lab.Status(pair.ClientNode[..2]).GetProperty("Engine").GetProperty("WorkRequests").GetInt64();

    private void Run(Placement placement, string serving, string asking) =>
        new CmPair(lab, placement).Run(s_bound, serving.Split(' '), asking.Split(' '));
}
