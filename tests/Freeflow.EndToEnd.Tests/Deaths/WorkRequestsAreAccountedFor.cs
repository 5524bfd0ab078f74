using System.Text.RegularExpressions;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Deaths;

/// <summary>
/// A random workload while routers and network fail at random: every work request completes once, in order, and what is said to have
/// succeeded is where it should be. The programs find that out themselves (tests/Programs/verbs-ledger.c).
/// </summary>
[Trait("Tier", "All")]
public sealed class WorkRequestsAreAccountedFor(BreakableLab lab) : IClassFixture<BreakableLab>
{
    private const int Port = 18640;
    private static readonly string s_program = LabFixture.TestProgram("verbs-ledger");

    /// <summary>How long a fault lasts, and the time without one afterwards.</summary>
    private static readonly TimeSpan s_lasts = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(240);

    [Theory]
    [InlineData(Placement.SameHost, 1)]
    [InlineData(Placement.AcrossHosts, 2)]
    public void WhateverFails(Placement placement, int seed)
    {
        var (serverNode, clientNode) = (LabFixture.Server(placement), LabFixture.Client(placement));
        using var server = lab.StartListening(serverNode, Port, s_program, $"{Port}");
        using var client = lab.Hosts.Start(clientNode, [s_program, $"{Port}", $"{seed}", LabFixture.AddressOf(serverNode)]);
        var random = new Random(seed);
        List<Action> faults =
        [
            () => Restart(serverNode[..2], lab.Hosts.Routers.Kill),
            () => Restart(clientNode[..2], lab.Hosts.Routers.Kill),
            () => Restart(serverNode[..2], lab.Hosts.Routers.Stop),
            () => StandStill(clientNode[..2]),
            () => During(new HostCutOff(lab, 2)),
            () => During(new PacketFilter(lab, "h1", 5)),
        ];
        var order = faults.ToArray();
        random.Shuffle(order);
        foreach (var fault in order)
        {
            // Faults come at any time.
            Thread.Sleep(random.Next(1000, 3000));
            if (client.HasExited || server.HasExited)
                break; // The first thing that is not so ends both, with a word.
            fault();
        }

        Thread.Sleep(s_lasts);
        var asked = client.Wait(s_within);
        var served = server.Wait(s_within);
        Assert.True(asked.ExitCode == 0 && served.ExitCode == 0, $"seed {seed}; client: {asked.Everything}\nserver: {served.Everything}");
        var figures = Regex.Match(asked.Output, @"^epochs \d+ missed (\d+) succeeded (\d+) failed (\d+)\n$");
        Assert.True(figures.Success, asked.Output);
        var (missed, succeeded, failed) = (long.Parse(figures.Groups[1].Value), long.Parse(figures.Groups[2].Value), long.Parse(figures.Groups[3].Value));
        Assert.True(succeeded > 0 && missed + failed > 0, $"nothing was done, or nothing was felt: {asked.Output}");
    }

    private void Restart(string host, Action<string> end)
    {
        end(host);
        lab.StartRouter(host);
    }

    private void StandStill(string host)
    {
        var router = lab.Hosts.Routers.PidOf(host);
        Shell.Script($"kill -STOP {router}");
        Thread.Sleep(s_lasts);
        Shell.Script($"kill -CONT {router}");
        lab.Hosts.Routers.AwaitCluster(2, LabRouters.ClusterWithin);
    }

    private void During(IDisposable fault)
    {
        using (fault)
            Thread.Sleep(s_lasts);
        lab.Hosts.Routers.AwaitCluster(2, LabRouters.ClusterWithin);
    }
}
