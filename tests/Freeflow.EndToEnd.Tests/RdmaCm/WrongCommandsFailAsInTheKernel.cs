namespace Freeflow.EndToEnd.Tests.RdmaCm;

/// <summary>Commands that no library writes: the kernel's errno for each, and nothing else harmed (tests/Programs/cm-faults.c).</summary>
public sealed class WrongCommandsFailAsInTheKernel(LabFixture lab) : IClassFixture<LabFixture>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(90);

    [Theory]
    [InlineData("truncated")]
    [InlineData("too-short")]
    [InlineData("nobody-there")]
    [InlineData("bad-addresses")]
    [InlineData("ids-of-others")]
    [InlineData("wrong-order")]
    [InlineData("full-backlog")]
    [InlineData("private-data")]
    [InlineData("readiness")]
    [InlineData("destroyed-while-read")]
    [InlineData("never-read")]
    [InlineData("many-ids")]
    public void Case(string name)
    {
        using var bystanders = new Bystanders(lab);
        var result = lab.Hosts.Exec("h1c1", s_bound, LabFixture.TestProgram("cm-faults"), name, LabFixture.AddressOf("h1c1"));
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Contains("as specified", result.Output);
        bystanders.MustBeWell();
        Holdings.MustVanish(lab, "h1");
    }
}
