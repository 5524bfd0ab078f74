namespace Freeflow.EndToEnd.Tests.Programs;

/// <summary>The SQD state (tests/Programs/verbs-drain.c).</summary>
public sealed class SendQueuesAreDrained(LabFixture lab) : IClassFixture<LabFixture>
{
    [Theory]
    [InlineData("rc")]
    [InlineData("uc")]
    [InlineData("ud")]
    public void OnRequest(string transport)
    {
        var result = lab.Hosts.Exec("h1c1", TimeSpan.FromSeconds(60), LabFixture.TestProgram("verbs-drain"), transport);
        Assert.True(result.ExitCode == 0, result.Everything);
    }
}
