using System.Globalization;
using System.Text.Json;
using Freeflow.EndToEnd.Tests.Tcp;
using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Deaths;

/// <summary>
/// Every router of three hosts is ended and started again, one after the other, while programs talk: TCP mode's connections outlive it, and
/// what is begun anew finds its way when the cluster is whole again.
/// </summary>
[Trait("Tier", "All")]
public sealed class RoutersAreReplacedOneByOne(ThreeHostsLab lab) : IClassFixture<ThreeHostsLab>
{
    private const string Client = "h1c1";
    private const int Port = 5210;
    private const int PingPort = 7180;
    private const int HostCount = 3;

    /// <summary>iperf3 sends 6 MB a second: so much is nothing else's.</summary>
    private const long Moved = 8_000_000;

    private static readonly string[] s_servers = ["h2c1", "h3c1"];
    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(120);

    [Fact]
    public void ConnectionsOutliveItAndNewOnesAreMade()
    {
        var programs = new List<BackgroundProgram>();
        try
        {
            var before = TcpCounters.Of(lab, "h1");
            foreach (var server in s_servers)
            {
                programs.Add(lab.StartListening(server, Port, "iperf3", "-s", "-p", $"{Port}"));
                new Acceleration(lab, Client, server).AwaitListener(Port);
                programs.Add(lab.Hosts.Start(Client, "iperf3", "-c", LabFixture.AddressOf(server), "-p", $"{Port}", "-t", "1200", "-b", "50M"));
            }

            // Each has a connection for what it agrees on, and one for data.
            WaitFor.That("iperf3's connections accelerated", s_within,
                () => (TcpCounters.Of(lab, "h1") - before).Announced >= 2 * s_servers.Length, () => $"{TcpCounters.Of(lab, "h1") - before}");
            for (var host = 1; host <= HostCount; host++)
            {
                var name = LabLayout.Host(host);
                lab.Hosts.Routers.Stop(name);
                MustGoOn(programs);
                lab.Hosts.Routers.Start(name, inHostPidNamespace: false, HostCount);
                lab.Hosts.Routers.AwaitCluster(HostCount, LabRouters.ClusterWithin);
                MustGoOn(programs);
                foreach (var server in s_servers)
                    MustPing(server);
            }

            MustGoOn(programs);
        }
        finally
        {
            foreach (var program in programs)
                program.Dispose();
        }
    }

    private void MustGoOn(IEnumerable<BackgroundProgram> programs)
    {
        foreach (var server in s_servers)
        {
            var host = server[..2];
            var from = ReceivedBy(host);
            WaitFor.That($"iperf3 sending to {server}", s_within, () => ReceivedBy(host) > from + Moved, () => $"{ReceivedBy(host) - from} bytes");
        }

        foreach (var program in programs)
        {
            if (program.HasExited)
                Assert.Fail("iperf3 has ended: " + program.Wait(TimeSpan.FromSeconds(1)).Everything);
        }
    }

    /// <summary>Bytes that have come to a host over the underlay.</summary>
    private long ReceivedBy(string host)
    {
        var table = lab.Hosts.Exec(host, TimeSpan.FromSeconds(30), "cat", "/proc/net/dev");
        var line = table.Output.Split('\n').Select(line => line.Trim()).Single(line => line.StartsWith("eth0:", StringComparison.Ordinal));
        return long.Parse(line["eth0:".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);
    }

    /// <summary>Programs that are started after it reach each other, and every router knows where the server is.</summary>
    private void MustPing(string server)
    {
        using var listener = lab.Hosts.Start(server, "rping", "-s", "-P", "-p", $"{PingPort}");
        var address = LabFixture.AddressOf(server);
        var last = "";
        WaitFor.That($"rping from {Client} to {server}", s_within, () =>
        {
            var result = lab.Hosts.Exec(Client, s_within, "rping", "-c", "-a", address, "-p", $"{PingPort}", "-C", "5");
            last = result.Everything;
            return result.ExitCode == 0;
        }, () => last);
        var owner = $"akka.tcp://freeflow@{LabLayout.UnderlayAddress(server[1] - '0')}:";
        for (var host = 1; host <= HostCount; host++)
        {
            var asked = LabLayout.Host(host);
            WaitFor.That($"{asked} knowing that {server} is at {owner}", s_within, () => OwnersAt(asked).GetValueOrDefault(address, "").StartsWith(owner, StringComparison.Ordinal),
                () => string.Join(", ", OwnersAt(asked)));
        }
    }

    private Dictionary<string, string> OwnersAt(string host) => lab.Status(host).GetProperty("Addresses").Deserialize<Dictionary<string, string>>()!;
}
