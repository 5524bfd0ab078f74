using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Deaths;

/// <summary>kill -9 in mid-transfer: the other end is told as RC tells it, and nothing of the dead is left.</summary>
public sealed class ProcessesThatAreKilled(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 18515;
    private static readonly TimeSpan s_retryTime = TimeSpan.FromSeconds(15);

    public static TheoryData<string, Placement> Sends => Programs.PerftestRunsUnmodified.Lines("ib_send_bw --run_infinitely");

    public static TheoryData<string, Placement> OneSided => Programs.PerftestRunsUnmodified.Lines("ib_write_bw --run_infinitely", "ib_read_bw --run_infinitely");

    [Theory]
    [Trait("Tier", "All")]
    [MemberData(nameof(OneSided))]
    public void TheServerOfOneSidedWork(string line, Placement placement) => TheServer(line, placement);

    [Theory]
    [Trait("Tier", "All")]
    [MemberData(nameof(OneSided))]
    public void TheClientOfOneSidedWork(string line, Placement placement) => TheClient(line, placement);

    [Theory]
    [MemberData(nameof(Sends))]
    public void TheServer(string line, Placement placement)
    {
        var (serverNode, clientNode) = (LabFixture.Server(placement), LabFixture.Client(placement));
        using var bystanders = new Bystanders(lab, "h2c2", "h1c3");
        using var server = lab.StartListening(serverNode, Port, line.Split(' '));
        using var client = lab.Hosts.Start(clientNode, [.. line.Split(' '), LabFixture.AddressOf(serverNode)]);
        Metrics.AwaitMessages(lab, clientNode, 1000);
        KillIn(serverNode, line.Split(' ')[0]);
        Assert.Equal(137, server.Wait(TimeSpan.FromSeconds(5)).ExitCode);
        var ended = client.Wait(s_retryTime);
        Assert.True(ended.ExitCode is not 0 and not 124, ended.Everything);
        bystanders.MustBeWell();
        Holdings.MustVanish(lab, "h1");
        Holdings.MustVanish(lab, "h2");
    }

    [Theory]
    [MemberData(nameof(Sends))]
    public void TheClient(string line, Placement placement)
    {
        var (serverNode, clientNode) = (LabFixture.Server(placement), LabFixture.Client(placement));
        using var server = lab.StartListening(serverNode, Port, line.Split(' '));
        using var client = lab.Hosts.Start(clientNode, [.. line.Split(' '), LabFixture.AddressOf(serverNode)]);
        Metrics.AwaitMessages(lab, clientNode, 1000);
        KillIn(clientNode, line.Split(' ')[0]);
        Assert.Equal(137, client.Wait(TimeSpan.FromSeconds(5)).ExitCode);
        // An RC receiver whose sender has gone waits, with any NIC; ib_send_bw's server does. The others see TCP end.
        if (line.StartsWith("ib_send", StringComparison.Ordinal))
            KillIn(serverNode, line.Split(' ')[0]);
        Assert.NotEqual(124, server.Wait(s_retryTime).ExitCode);
        Holdings.MustVanish(lab, "h1");
        Holdings.MustVanish(lab, "h2");
    }

    [Fact]
    public void AHundredTimesLeaveNoDescriptorBehind()
    {
        RunAndKill(5);
        Holdings.MustVanish(lab, "h1");
        var before = Holdings.Of(lab, "h1").Descriptors;
        RunAndKill(100);
        Holdings.MustVanish(lab, "h1");
        var after = Holdings.Of(lab, "h1").Descriptors;
        Assert.True(after <= before + 3, $"{before} descriptors before, {after} after");
    }

    private void RunAndKill(int times)
    {
        var program = LabFixture.TestProgram("verbs-check");
        var script = $"for i in $(seq {times}); do {program} & sleep 0.05; kill -9 $!; wait $!; done 2>/dev/null; true";
        var result = lab.Hosts.Exec("h1c1", TimeSpan.FromSeconds(60), "bash", "-c", script);
        Assert.True(result.ExitCode == 0, result.Everything);
    }

    private void KillIn(string node, string program)
    {
        var pid = lab.Hosts.ProcessesIn(node).Single(process => process.Name == program).Pid;
        LabProcesses.Kill(pid, "KILL");
    }
}
