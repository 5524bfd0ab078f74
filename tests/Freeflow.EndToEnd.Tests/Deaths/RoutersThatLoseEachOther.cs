using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Deaths;

/// <summary>Of two routers neither can tell whether the other is dead or out of reach: both go on, and are one cluster again afterwards.</summary>
[Trait("Tier", "All")]
public sealed class RoutersThatLoseEachOther(BreakableLab lab) : IClassFixture<BreakableLab>
{
    /// <summary>The failure detector's three seconds, the resolver's two, and a machine with other work.</summary>
    private static readonly TimeSpan s_lostWithin = TimeSpan.FromSeconds(60);

    [Fact]
    public void NeitherTakesTheOtherWithIt()
    {
        // One of them is the older member.
        MustOutlive("h1", "h2");
        MustOutlive("h2", "h1");
    }

    [Fact]
    public void BothGoOnWithoutANetworkAndAreOneClusterAfterwards() => BothGoOnWithout(() => new HostCutOff(lab, 2));

    [Fact]
    public void BothGoOnWhenOneIsNotHeard() => BothGoOnWithout(() => new PacketFilter(lab, "h2", 100));

    [Fact]
    public void ARouterThatStoodStillJoinsAnew()
    {
        var (first, second) = (lab.Hosts.Routers.PidOf("h1"), lab.Hosts.Routers.PidOf("h2"));
        var logged = lab.RouterLog("h2").Length;
        using (var onTheFirst = new Bystanders(lab, "h1c2", "h1c3"))
        {
            Shell.Script($"kill -STOP {second}");
            try
            {
                AwaitAlone("h1");
            }
            finally
            {
                Shell.Script($"kill -CONT {second}");
            }

            onTheFirst.MustBeWell();
        }

        AwaitReunion(logged, first);
    }

    private void BothGoOnWithout(Func<IDisposable> cut)
    {
        var first = lab.Hosts.Routers.PidOf("h1");
        var logged = lab.RouterLog("h2").Length;
        using (var onTheFirst = new Bystanders(lab, "h1c2", "h1c3"))
        using (var onTheSecond = new Bystanders(lab, "h2c2", "h2c3"))
        {
            using (cut())
            {
                AwaitAlone("h1");
                AwaitAlone("h2");
            }

            onTheFirst.MustBeWell();
            onTheSecond.MustBeWell();
        }

        AwaitReunion(logged, first);
    }

    private void AwaitReunion(int logged, int? first)
    {
        WaitFor.That("h2's router joining h1's cluster anew", s_lostWithin,
            () => lab.RouterLog("h2")[logged..].Contains("this router ends, so that when it is started it can join", StringComparison.Ordinal));
        lab.Hosts.Routers.AwaitCluster(2, LabRouters.ClusterWithin);
        Assert.Equal(first, lab.Hosts.Routers.PidOf("h1"));
        new Programs.ProgramPair(lab, Placement.AcrossHosts).Run(TimeSpan.FromSeconds(20), "ibv_rc_pingpong");
    }

    private void MustOutlive(string killed, string survivor)
    {
        lab.Hosts.Routers.Kill(killed);
        AwaitAlone(survivor);
        lab.StartRouter(killed);
    }

    private void AwaitAlone(string host) =>
        WaitFor.That($"one member in {host}'s cluster", s_lostWithin, () => lab.Status(host).GetProperty("Members").GetArrayLength() == 1);
}
