using System.Text.Json;
using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Deaths;

/// <summary>
/// A router's time of day jumps, forth and back: what it waits for it measures by another clock. Whether it comes to
/// rest can't be seen with libfaketime, under which the thread of the runtime's timers spins after a jump.
/// </summary>
[Trait("Tier", "All")]
public sealed class ClocksThatJump(ClockLab lab) : IClassFixture<ClockLab>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    [Fact]
    public void NobodyNotices()
    {
        var (first, second) = (lab.Hosts.Routers.PidOf("h1"), lab.Hosts.Routers.PidOf("h2"));
        var logged = lab.RouterLog("h2").Length;
        using (var traffic = new Bystanders(lab, "h1c2", "h2c2"))
        {
            foreach (var hours in new[] { 5, -5, 0 })
            {
                lab.Set("h1", $"{hours:+0;-0;+0}h");
                // While a search for an address is under way, perhaps.
                var nowhere = lab.Hosts.Exec("h1c1", s_bound, "rping", "-c", "-a", "10.244.1.99", "-C", "1");
                Assert.True(nowhere.ExitCode is not 0 and not 124, nowhere.Everything);
                AwaitClock(TimeSpan.FromHours(hours));
                MustBeOneCluster();
            }

            traffic.MustBeWell();
        }

        Assert.Equal((first, second), (lab.Hosts.Routers.PidOf("h1"), lab.Hosts.Routers.PidOf("h2")));
        Assert.DoesNotContain("unreachable", lab.RouterLog("h2")[logged..], StringComparison.OrdinalIgnoreCase);
    }

    private void MustBeOneCluster()
    {
        lab.Hosts.Routers.AwaitCluster(2, LabRouters.ClusterWithin);
        new ProgramPair(lab, "h2c1", "h1c1").Run(s_bound, "ibv_rc_pingpong");
    }

    /// <summary>Until what the router tells of shows the new time.</summary>
    private void AwaitClock(TimeSpan difference) => WaitFor.That($"h1's clock at {difference}", s_bound, () =>
    {
        var started = lab.Hosts.Exec("h1", s_bound, "sh", "-c", "touch /run/freeflow/policy.conf; freeflow policy apply /run/freeflow/policy.conf >/dev/null; freeflow policy show --json");
        Assert.True(started.ExitCode == 0, started.Everything);
        var since = JsonSerializer.Deserialize<JsonElement>(started.Output).GetProperty("Since").GetDateTime();
        return (since - DateTime.UtcNow - difference).Duration() < TimeSpan.FromDays(0.02);
    });
}
