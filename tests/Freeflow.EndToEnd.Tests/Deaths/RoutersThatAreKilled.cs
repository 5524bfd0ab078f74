using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Deaths;

/// <summary>kill -9 of a router in mid-transfer: programs on both hosts end with an error, and none hangs.</summary>
public sealed class RoutersThatAreKilled(BreakableLab lab) : IClassFixture<BreakableLab>
{
    private const int Port = 18515;

    /// <summary>perftest's QPs wait 2.2 s at most; the rest is for its own way out.</summary>
    private static readonly TimeSpan s_retryTime = TimeSpan.FromSeconds(15);

    [Theory]
    [Trait("Tier", "All")]
    [InlineData("h2", "ib_write_bw --run_infinitely")]
    [InlineData("h1", "ib_send_bw --run_infinitely")]
    [InlineData("h2", "ib_send_bw --run_infinitely")]
    [InlineData("h1", "ib_read_bw --run_infinitely")]
    [InlineData("h2", "ib_read_bw --run_infinitely")]
    [InlineData("h1", "ib_send_lat -n 5000000")]
    [InlineData("h2", "ib_send_lat -n 5000000")]
    [InlineData("h1", "ib_send_bw -e -n 100000000")]
    public void ProgramsOfEveryKindEnd(string killed, string line) => ProgramsAcrossHostsEnd(killed, line);

    [Theory]
    [InlineData("h1", "ib_write_bw --run_infinitely")]
    [InlineData("h2", "ib_send_bw -e -n 100000000")]
    public void ProgramsAcrossHostsEnd(string killed, string line)
    {
        var survivor = killed == "h1" ? "h2" : "h1";
        using var bystanders = new Bystanders(lab, survivor + "c2", survivor + "c3");
        MustEnd("h2c1", "h1c1", killed, line);
        bystanders.MustBeWell();
        lab.StartRouter(killed);
        Holdings.MustVanish(lab, survivor);
    }

    [Theory]
    [Trait("Tier", "All")]
    [InlineData("ib_write_bw --run_infinitely")]
    [InlineData("ib_send_bw -e -n 100000000")]
    public void ProgramsOfEveryKindOnItsOwnHostEnd(string line) => ProgramsOnItsOwnHostEnd(line);

    [Theory]
    [InlineData("ib_send_bw --run_infinitely")]
    public void ProgramsOnItsOwnHostEnd(string line)
    {
        using var bystanders = new Bystanders(lab, "h1c2", "h1c3");
        MustEnd("h2c1", "h2c2", "h2", line);
        bystanders.MustBeWell();
        lab.StartRouter("h2");
    }

    [Fact]
    public void NewProgramsFindTheRouterThatCameBack()
    {
        lab.Hosts.Routers.Kill("h2");
        var without = lab.Hosts.Exec("h2c1", TimeSpan.FromSeconds(10), "ibv_devinfo");
        Assert.NotEqual(0, without.ExitCode);
        lab.StartRouter("h2");
        new Programs.ProgramPair(lab, Placement.AcrossHosts).Run(TimeSpan.FromSeconds(20), "ibv_rc_pingpong");
    }

    private void MustEnd(string serverNode, string clientNode, string killed, string line)
    {
        using var server = lab.StartListening(serverNode, Port, line.Split(' '));
        using var client = lab.Hosts.Start(clientNode, [.. line.Split(' '), LabFixture.AddressOf(serverNode)]);
        Metrics.AwaitMessages(lab, clientNode, 100);
        lab.Hosts.Routers.Kill(killed);
        var ends = new[] { client.Wait(s_retryTime), server.Wait(s_retryTime) };
        foreach (var end in ends)
            Assert.True(end.ExitCode is not 0 and not 124, end.Everything);
    }
}
