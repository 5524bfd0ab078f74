using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Command;

[Trait("Tier", "All")]
public sealed class TheCommandIsRobust(BreakableLab lab) : IClassFixture<BreakableLab>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    private readonly FreeflowCommand _freeflow = new(lab);

    [Fact]
    public void NamesThatContainersChooseAreShownAndNotObeyed()
    {
        const string Container = "h1c4";
        const string Hostile = "\u001b[31m[red]";
        using var holder = lab.StartListening(Container, 18515, "ib_write_bw");
        SetUp(Container, "ip", "link", "add", Hostile, "type", "bridge");
        try
        {
            SetUp(Container, "ip", "address", "add", "10.244.1.98/24", "dev", Hostile);
            SetUp(Container, "ip", "link", "set", Hostile, "up");
            WaitFor.That("the address in the list", s_bound, () => _freeflow.Text("h1", "containers").Contains("10.244.1.98"));
            var said = _freeflow.Text("h1", "containers");
            Assert.DoesNotContain("\u001b", said);
            Assert.Contains(@"10.244.1.98%\x1b[31m[red]", said);
        }
        finally
        {
            SetUp(Container, "ip", "link", "del", Hostile);
        }
    }

    [Theory]
    [InlineData("explain 10.244.1.11")]
    [InlineData("explain h1c1 h2c1")]
    [InlineData("explain 10.244.1.11:80 10.244.2.11")]
    [InlineData("explain 10.244.1.11 10.244.2.11 --mode none")]
    [InlineData("qps --limit 0")]
    [InlineData("qps --limit many")]
    [InlineData("frobnicate")]
    [InlineData("completion fish")]
    public void WhatMakesNoSenseIsRefused(string line)
    {
        var result = _freeflow.Run("h1", line.Split(' '));
        Assert.True(result.ExitCode == 2, result.Everything);
        Assert.NotEqual("", result.Errors);
    }

    [Fact]
    public void ARouterThatWasKilledIsALineAndAFailure()
    {
        lab.Hosts.Routers.Kill("h2");
        try
        {
            foreach (var command in (string[])["status", "members", "containers", "qps", "flows --json", "explain 10.244.2.11 10.244.1.11"])
            {
                var result = _freeflow.Run("h2", command.Split(' '));
                Assert.True(result.ExitCode == 1, result.Everything);
                Assert.Equal("", result.Output);
                Assert.StartsWith("freeflow: no router answers at ", Assert.Single(result.Errors.Trim().Split('\n')));
            }
        }
        finally
        {
            lab.StartRouter("h2");
        }
    }

    [Fact]
    public void TheDoctorFindsNothingWrongWithAHostWhoseRouterRuns()
    {
        var result = Doctor($"HOST_IP_PREFIX={LabLayout.UnderlayPrefix}");
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Contains("is the router's", result.Output);
        Assert.DoesNotContain("FAIL", result.Output);
    }

    [Fact]
    public void ItNamesWhatIsWrongAndFails()
    {
        var result = Doctor("HOST_IP=192.0.2.1", "FREEFLOW_SEEDS=192.168.50.1");
        Assert.True(result.ExitCode == 1, result.Everything);
        Assert.Contains("FAIL  host address: 192.0.2.1 is on no interface", result.Output);
    }

    private ProgramResult Doctor(params string[] settings) =>
        lab.Hosts.ExecPrivileged("h1", s_bound, ["env", .. settings, "freeflow", "doctor", "--config", lab.Hosts.Paths.LabConfiguration]);

    private void SetUp(string container, params string[] command)
    {
        var result = lab.Hosts.ExecPrivileged(container, s_bound, command);
        Assert.True(result.ExitCode == 0, result.Everything);
    }
}
