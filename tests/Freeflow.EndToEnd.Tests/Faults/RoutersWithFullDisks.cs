using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Faults;

/// <summary>No room for the log, nor for files in the directories that the router's sockets are in.</summary>
[Trait("Tier", "All")]
public sealed class RoutersWithFullDisks(FullDiskLab lab) : IClassFixture<FullDiskLab>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    [Fact]
    public void GoOnAndSayAfterwardsWhatTheyCouldNotLog()
    {
        var pid = lab.Hosts.Routers.PidOf(FullDiskLab.Host);
        using var bystanders = new Bystanders(lab, "h1c1", "h1c2");
        var logged = lab.RouterLog(FullDiskLab.Host).Length;
        using (lab.Fill())
        {
            WaitFor.That("lines that found no room", s_bound, () =>
            {
                MustFindTheDevice();
                return Metrics.Of(lab, FullDiskLab.Host, "freeflow_log_lines_lost_total") > 0;
            });
            new ProgramPair(lab, Placement.SameHost).Run(s_bound, "ibv_rc_pingpong");
            Assert.Equal("router", lab.Status(FullDiskLab.Host).GetProperty("Name").GetString());
        }

        WaitFor.That("the log telling of what was lost", s_bound, () =>
        {
            MustFindTheDevice();
            return lab.RouterLog(FullDiskLab.Host)[logged..].Contains(" lines before this one could not be written");
        }, () => lab.RouterLog(FullDiskLab.Host)[logged..]);
        bystanders.MustBeWell();
        Assert.Equal(pid, lab.Hosts.Routers.PidOf(FullDiskLab.Host));
    }

    [Fact]
    public void DoNotStartAndSayWhy()
    {
        lab.Hosts.Routers.Kill(FullDiskLab.Host);
        // Room that was had before is had again.
        Directory.Delete(Path.Combine(lab.Hosts.Paths.FreeflowDirectory(FullDiskLab.Host), "run"), recursive: true);
        using (lab.Fill())
        {
            var result = lab.Hosts.ExecPrivileged(
                FullDiskLab.Host, s_bound, "env", $"HOST_IP_PREFIX={LabLayout.UnderlayPrefix}", $"FFR_NAME={LabLayout.RouterName}",
                lab.Hosts.Paths.RouterProgram, "run", "--config", lab.Hosts.Paths.LabConfiguration);
            Assert.True(result.ExitCode == 1, result.Everything);
            Assert.Contains("freeflow: the router can't start: ", result.Errors);
            Assert.Contains("No space left on device", result.Errors);
        }

        lab.Hosts.Routers.Start(FullDiskLab.Host, inHostPidNamespace: false, hosts: 1);
        lab.Hosts.Routers.AwaitCluster(1, LabRouters.ClusterWithin);
        MustFindTheDevice();
    }

    private void MustFindTheDevice()
    {
        var result = lab.Hosts.Exec("h1c3", s_bound, "ibv_devinfo");
        Assert.True(result.ExitCode == 0, result.Everything);
    }
}
