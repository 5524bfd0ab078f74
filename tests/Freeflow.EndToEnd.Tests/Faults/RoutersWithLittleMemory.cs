using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Faults;

/// <summary>
/// A router whose control group has a bound on memory: it refuses what would lead beyond, and serves those that are there. Where the kernel
/// kills it nevertheless, that is a router's death like any other.
/// </summary>
[Trait("Tier", "All")]
public sealed class RoutersWithLittleMemory(LittleMemoryLab lab) : IClassFixture<LittleMemoryLab>
{
    private const string Host = "h1";
    private const int Port = 18515;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(120);

    [SkippableTheory]
    [InlineData("queue-bytes-of-cqs")]
    [InlineData("queue-bytes-of-qps")]
    public void RefuseWhatTheyCanNotHold(string kind)
    {
        using var group = MemoryGroup.TryMake("refuses", 400 << 20);
        Skip.If(group is null, "this machine has no control groups for memory");
        lab.Hosts.Routers.Kill(Host);
        lab.Hosts.Routers.Start(Host, inHostPidNamespace: false, hosts: 1, controlGroup: group.Directory);
        lab.Hosts.Routers.AwaitCluster(1, LabRouters.ClusterWithin);
        var pid = lab.Hosts.Routers.PidOf(Host);
        using (var bystanders = new Bystanders(lab, "h1c1", "h1c2"))
        {
            var result = lab.Hosts.Exec("h1c3", s_bound, LabFixture.TestProgram("verbs-limits"), kind, "-1");
            Assert.True(result.ExitCode == 0, result.Everything);
            Assert.True(Metrics.Of(lab, Host, "freeflow_memory_refused_total") > 0, "something else has ended it");
            bystanders.MustBeWell();
        }

        Assert.Equal((pid, 0), (lab.Hosts.Routers.PidOf(Host), group.Killed));
        Holdings.MustVanish(lab, Host);
        WaitFor.That("room for a new program", s_bound, () => lab.Hosts.Exec("h1c3", s_bound, "ibv_devinfo").ExitCode == 0);
        lab.Hosts.Routers.Kill(Host);
    }

    [SkippableFact]
    public void ThatTheKernelKillsEndAsIfByAnybody()
    {
        using var group = MemoryGroup.TryMake("kills", 4 << 20);
        Skip.If(group is null, "this machine has no control groups for memory");
        Restart();
        string[] command = ["ib_write_bw", "--run_infinitely"];
        using (var server = lab.StartListening("h1c1", Port, command))
        using (var client = lab.Hosts.Start("h1c2", [.. command, LabFixture.AddressOf("h1c1")]))
        {
            WaitFor.That("traffic", s_bound, () => Holdings.Of(lab, Host).QueuePairs >= 2);
            group.Take(lab.Hosts.Routers.PidOf(Host)!.Value);
            using (var many = lab.Hosts.Start("h1c3", LabFixture.TestProgram("verbs-limits"), "device", "-1"))
            {
                WaitFor.That("the router's death", s_bound, () => lab.Hosts.Routers.PidOf(Host) is null);
                foreach (var end in new[] { many.Wait(s_bound), client.Wait(s_bound), server.Wait(s_bound) })
                    Assert.True(end.ExitCode is not 0 and not 124, end.Everything);
            }

            Assert.True(group.Killed > 0, "something else has ended it");
        }

        Restart();
        new Programs.ProgramPair(lab, Placement.SameHost).Run(s_bound, "ibv_rc_pingpong");
    }

    private void Restart()
    {
        lab.Hosts.Routers.Kill(Host);
        lab.Hosts.Routers.Start(Host, inHostPidNamespace: false, hosts: 1);
        lab.Hosts.Routers.AwaitCluster(1, LabRouters.ClusterWithin);
    }
}
