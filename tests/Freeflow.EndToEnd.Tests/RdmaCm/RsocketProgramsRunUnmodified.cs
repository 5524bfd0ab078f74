using System.Security.Cryptography;

namespace Freeflow.EndToEnd.Tests.RdmaCm;

/// <summary>rsockets, which librdmacm makes of rdma_cm and verbs: its own examples, and programs that know of sockets only.</summary>
public sealed class RsocketProgramsRunUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(100);

    [Theory]
    [InlineData("-S 65536 -C 200", Placement.SameHost)]
    [InlineData("-S 65536 -C 200", Placement.AcrossHosts)]
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

    /// <summary>A server that forks for each connection; librspreload makes the socket an rsocket in the child.</summary>
    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void AServerThatForks(Placement placement)
    {
        string[] command = ["env", $"LD_PRELOAD={Librspreload}:/freeflow/libfsocket.so", "RDMAV_FORK_SAFE=1", "rstream", "-T", "f", "-S", "4096", "-C", "100"];
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
    public void Iperf3UnderLibrspreloadEitherWay(string options, Placement placement) => Iperf3UnderLibrspreload(options, placement);

    [Theory]
    [InlineData("", Placement.AcrossHosts)]
    public void Iperf3UnderLibrspreload(string options, Placement placement)
    {
        string[] preload = ["env", $"LD_PRELOAD={Librspreload}:/freeflow/libfsocket.so"];
        var asking = $"iperf3 -t 2 {options} -c ADDRESS".Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (client, _) = new CmPair(lab, placement).Run(s_bound, [.. preload, "iperf3", "-s", "-1"], [.. preload, .. asking]);
        Assert.Contains("iperf Done.", client);
        Assert.DoesNotContain(" 0.00 bits/sec                  receiver", client);
    }

    /// <summary>As Debian's rdma-core installs it, wherever that is on this machine.</summary>
    private static string Librspreload =>
        Directory.EnumerateFiles("/usr/lib", "librspreload.so", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }).First();

    private void Run(Placement placement, string serving, string asking) =>
        new CmPair(lab, placement).Run(s_bound, serving.Split(' '), asking.Split(' '));
}
