using Freeflow.EndToEnd.Tests.Fixtures;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Lab;

/// <summary>The lab's own interface, which others script against. In a lab of its own, beside the shared one.</summary>
public sealed class LabKeepsItsWord : IDisposable
{
    private static readonly LabPaths s_paths = TestRunDirectory.PathsOf("kept-word");
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    public void Dispose() => Lab("down");

    [Fact]
    public void ExecPassesStatusInputOutputAndSignalsThrough()
    {
        Must("up", "--hosts", "1", "--containers", "2", "--no-routers");
        Assert.Equal(7, Lab("exec", "h1c1", "--", "sh", "-c", "exit 7").ExitCode);
        Assert.Equal("in\n", Must("exec", "h1c2", "--", "echo", "in").Output);
        Assert.Equal("out", Lab("exec", "h1", "--", "sh", "-c", "printf out; printf err >&2").Output);
        Assert.Equal("err", Lab("exec", "h1", "--", "sh", "-c", "printf out; printf err >&2").Errors);
        Assert.Equal("", Lab("exec", "h1c1", "--", "cat").Output);
        Assert.Equal("typed", Shell.Run(s_bound, Environment, "bash", "-c", $"printf typed | {Door} exec h1c1 -- cat").Output);

        using var trapping = BackgroundProgram.Start(Environment, [Door, "exec", "h1c1", "--", "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done"]);
        trapping.AwaitOutput("ready");
        trapping.Signal("TERM");
        Assert.Equal(9, trapping.Wait(TimeSpan.FromSeconds(5)).ExitCode);
    }

    [Fact]
    public void ContainersHaveThePreloadsEnvironmentAndPlainOnesDoNot()
    {
        Must("up", "--hosts", "1", "--containers", "1", "--no-routers");
        var preloaded = Must("exec", "h1c1", "--", "sh", "-c", "echo $LD_PRELOAD $VNET_PREFIX $FFR_NAME").Output;
        Assert.Equal("/freeflow/libfsocket.so 10.244.0.0/16 router\n", preloaded);
        Assert.Equal("\n", Must("exec", "--plain", "h1c1", "--", "sh", "-c", "echo $LD_PRELOAD $VNET_PREFIX $FFR_NAME").Output);
    }

    [Fact]
    public void AddressesAreTheFixedOnesAndTheOverlayCarries()
    {
        Must("up", "--hosts", "2", "--containers", "2", "--no-routers");
        Assert.Contains("10.244.2.12/24", Must("exec", "--plain", "h2c2", "--", "ip", "-brief", "address").Output);
        Assert.Contains("192.168.50.2/24", Must("exec", "h2", "--", "ip", "-brief", "address").Output);
        Must("exec", "--plain", "h1c1", "--", "bash", "-c", "exec 3<>/dev/udp/10.244.2.12/9; ip route get 10.244.2.12");
        using var server = BackgroundProgram.Start(Environment, [Door, "exec", "--plain", "h2c2", "--", "iperf3", "-s", "-1", "--forceflush"]);
        server.AwaitOutput("Server listening");
        Must("exec", "--plain", "h1c1", "--", "iperf3", "-c", "10.244.2.12", "-n", "1M");
    }

    [Fact]
    public void HostsDoNotSeeEachOthersProcesses()
    {
        Must("up", "--hosts", "2", "--containers", "1", "--no-routers");
        using var sleeper = BackgroundProgram.Start(Environment, [Door, "exec", "h1c1", "--", "sleep", "12345"]);
        WaitFor.That("the sleeper among its host's processes", () => Must("exec", "h1", "--", "ps", "ax").Output.Contains("sleep 12345"));
        Assert.DoesNotContain("sleep 12345", Must("exec", "h2", "--", "ps", "ax").Output);
    }

    [Fact]
    public void UpTwiceIsUpOnceAndDownLeavesNothing()
    {
        Must("up", "--hosts", "1", "--containers", "1");
        var first = Must("status").Output;
        Must("up", "--hosts", "1", "--containers", "1");
        Assert.Equal(Pids(first), Pids(Must("status").Output));
        Assert.Contains("192.168.50.1:4480 Up", first);
        Must("down");
        MustBeGone();
        Must("down");
        Assert.NotEqual(0, Lab("status").ExitCode);
    }

    [Fact]
    public void AKilledUpIsCleanedUpByTheNext()
    {
        var up = BackgroundProgram.Start(Environment, [Door, "up", "--hosts", "3", "--containers", "3"]);
        // In the middle.
        WaitFor.That("some of the lab", s_bound, () => File.Exists(s_paths.NodeFile("h2")));
        LabProcesses.Kill(up.Pid, "KILL");
        up.Dispose();
        Must("up", "--hosts", "1", "--containers", "1", "--no-routers");
        Must("exec", "h1c1", "--", "true");
        Must("down");
        MustBeGone();
    }

    [Fact]
    public void RoutersRunInAPidNamespaceOfTheirOwnOrOnRequestInTheHosts()
    {
        Must("up", "--hosts", "1", "--containers", "1");
        Assert.DoesNotContain("freeflow run", Must("exec", "h1c1", "--plain", "--", "ps", "ax").Output);
        Assert.True(RouterSharesPidsWith("h1") is false);
        Must("up", "--hosts", "1", "--containers", "1", "--pid=host");
        Assert.True(RouterSharesPidsWith("h1"));
        Must("exec", "h1c1", "--", "ibv_devinfo");
    }

    [Fact]
    public void RoutersStopStartAndShowTheirLog()
    {
        Must("up", "--hosts", "1", "--containers", "1");
        Must("router", "h1", "stop");
        Assert.Contains("not running", Must("status").Output);
        Must("router", "h1", "start");
        Must("exec", "h1", "--", "freeflow", "status");
        Assert.Contains("is ready at 192.168.50.1", Must("router", "h1", "logs").Output);
        Assert.NotEqual(0, Lab("router", "h7", "start").ExitCode);
        Assert.NotEqual(0, Lab("router", "h1", "dance").ExitCode);
    }

    [Fact]
    public void ContainersCanHaveAnotherRootFileSystem()
    {
        var root = Directory.CreateTempSubdirectory("freeflow-root").FullName;
        try
        {
            // The machine's programs below another root; a debootstrap tree is used in the same way.
            Shell.Script($"cd {root}; mkdir usr etc proc sys dev run tmp root; mount --bind /usr usr; for link in bin sbin lib lib64; do ln -s usr/$link $link; done; cp -r /etc/ld.so.* etc; cp -r /etc/libibverbs.d etc 2>/dev/null || true; echo elsewhere > etc/marker");
            Must("up", "--hosts", "1", "--containers", "2", "--root", root);
            Assert.Equal("elsewhere\n", Must("exec", "--plain", "h1c1", "--", "cat", "/etc/marker").Output);
            Must("exec", "--plain", "h1c1", "--", "touch", "/tmp/mine", "/dev/shm/mine");
            Assert.Equal("", Must("exec", "--plain", "h1c2", "--", "ls", "/tmp", "/dev/shm").Output.Replace("/tmp:", "").Replace("/dev/shm:", "").Trim());
            Assert.Contains("rxe_ff0", Must("exec", "h1c1", "--", "ibv_devinfo").Output);

            Must("up", "--hosts", "2", "--containers", "2", "--no-routers", "--root", $"h1={root}", "--root", $"h2c2={root}");
            var elsewhere = new[] { "h1c1", "h1c2", "h2c1", "h2c2" }.Where(node => Lab("exec", "--plain", node, "--", "test", "-e", "/etc/marker").ExitCode == 0);
            Assert.Equal(["h1c1", "h1c2", "h2c2"], elsewhere);
        }
        finally
        {
            Lab("down");
            Shell.Script($"umount {root}/usr; rm -r {root}");
        }
    }

    [Theory]
    [InlineData("up", "--hosts", "0")]
    [InlineData("up", "--pid=container")]
    [InlineData("up", "--root", "/no/such/directory")]
    [InlineData("up", "--root", "h3=/")]
    [InlineData("up", "--root", "h1c9=/")]
    [InlineData("exec", "h9", "--", "true")]
    [InlineData("exec", "h1c1")]
    [InlineData("fly")]
    public void AWrongWordIsRefused(params string[] words)
    {
        var result = Lab(words);
        Assert.NotEqual(0, result.ExitCode);
        Assert.NotEmpty(result.Errors);
    }

    private static Dictionary<string, string> Environment => new() { ["FREEFLOW_LAB_DIR"] = s_paths.State };

    private string Door => Path.Combine(s_paths.Repository, "lab");

    private ProgramResult Lab(params string[] words) => Shell.Run(s_bound, Environment, [Door, .. words]);

    private ProgramResult Must(params string[] words)
    {
        var result = Lab(words);
        Assert.True(result.ExitCode == 0, $"lab {string.Join(' ', words)}: {result.Everything}");
        return result;
    }

    private void MustBeGone()
    {
        Assert.False(Directory.Exists(s_paths.State));
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
        {
            try
            {
                Assert.DoesNotContain($"FREEFLOW_LAB_OF={s_paths.State}\0", File.ReadAllText(Path.Combine(process, "environ")));
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It has ended meanwhile, or is not root's.
            }
        }

        Assert.DoesNotContain(s_paths.State, File.ReadAllText("/proc/self/mountinfo"));
    }

    private static IEnumerable<string> Pids(string status) => status.Split('\n').Where(line => line.Contains("\tpid "));

    private bool RouterSharesPidsWith(string host)
    {
        var router = new LabRouters(s_paths).PidOf(host)!.Value;
        var first = int.Parse(File.ReadAllText(s_paths.NodeFile(host)));
        return new FileInfo($"/proc/{router}/ns/pid").LinkTarget == new FileInfo($"/proc/{first}/ns/pid").LinkTarget;
    }
}
