namespace Freeflow.EndToEnd.Tests.RdmaCm;

/// <summary>What an application sets on its ids holds for the connections that come of them (tests/Programs/cm-options.c).</summary>
[Trait("Tier", "All")]
public sealed class OptionsAndParametersAreKept(LabFixture lab) : IClassFixture<LabFixture>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(120);

    [Theory]
    [InlineData("tos")]
    [InlineData("ack-timeout")]
    [InlineData("reuse")]
    [InlineData("family-only")]
    [InlineData("private-data")]
    [InlineData("timewait")]
    [InlineData("fork")]
    [InlineData("child")]
    [InlineData("exec")]
    [InlineData("resolve-timeout")]
    public void Case(string name)
    {
        var result = lab.Hosts.Exec("h1c1", s_bound, LabFixture.TestProgram("cm-options"), name, LabFixture.AddressOf("h1c1"));
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Contains("as specified", result.Output);
        Holdings.MustVanish(lab, "h1");
    }
}
