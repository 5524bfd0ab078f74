using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Cluster;

/// <summary>kill -9 of the only seed, of the other one, and of both: there is one cluster again, in which programs of both hosts meet.</summary>
public sealed class RoutersComeBackToTheirCluster(OneSeedLab lab) : IClassFixture<OneSeedLab>
{
    private const int Times = 20;

    private static readonly TimeSpan s_within = LabRouters.ClusterWithin;

    [Theory]
    [InlineData("h1")]
    [InlineData("h2")]
    [InlineData("h1 h2")]
    public void WhenTheOthersHaveRemovedThem(string killed) => Kill(killed.Split(' '), untilRemoved: true);

    /// <summary>In turn at once, and when the others have removed them.</summary>
    [Theory]
    [Trait("Tier", "All")]
    [InlineData("h1", false)]
    [InlineData("h2", false)]
    [InlineData("h1 h2", false)]
    [InlineData("h1", true)]
    [InlineData("h2", true)]
    [InlineData("h1 h2", true)]
    public void TwentyTimes(string killed, bool withBusyCores)
    {
        using var work = withBusyCores ? new BusyCores(lab) : null;
        for (var time = 0; time < Times; time++)
            Kill(killed.Split(' '), untilRemoved: time % 2 == 1);
    }

    private void Kill(string[] killed, bool untilRemoved)
    {
        string[] survivors = [.. Enumerable.Range(1, OneSeedLab.Count).Select(LabLayout.Host).Except(killed)];
        foreach (var host in killed)
            lab.Hosts.Routers.Kill(host);
        if (untilRemoved)
        {
            foreach (var host in survivors)
                WaitFor.That($"{host} alone in its cluster", s_within, () => lab.Hosts.Routers.SeesMembers(host, survivors.Length));
        }

        foreach (var host in killed)
            lab.Hosts.Routers.Start(host, inHostPidNamespace: false, hosts: OneSeedLab.Count);
        lab.Hosts.Routers.AwaitCluster(OneSeedLab.Count, s_within);
        new ProgramPair(lab, "h2c1", "h1c1").Run(TimeSpan.FromSeconds(60), "ibv_rc_pingpong");
    }

    /// <summary>As many programs as there are processors, which do nothing but take time.</summary>
    private sealed class BusyCores(LabFixture lab) : IDisposable
    {
        private readonly BackgroundProgram[] _loops =
            [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => lab.Hosts.Start("h1", "nice", "-n", "5", "sh", "-c", "while :; do :; done"))];

        public void Dispose()
        {
            foreach (var loop in _loops)
                loop.Dispose();
        }
    }
}
