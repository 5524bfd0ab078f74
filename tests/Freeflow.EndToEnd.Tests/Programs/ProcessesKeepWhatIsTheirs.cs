using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Programs;

/// <summary>Forks, execs, threads and contexts with live QPs (tests/Programs/verbs-processes.c).</summary>
public sealed class ProcessesKeepWhatIsTheirs(LabFixture lab) : IClassFixture<LabFixture>
{
    [Theory]
    [InlineData("fork-with-init")]
    [InlineData("fork-without-init")]
    [InlineData("exec")]
    [InlineData("threads")]
    [InlineData("contexts")]
    public void WithLiveQueuePairs(string name) => Run(TimeSpan.FromSeconds(60), name);

    [Fact]
    public void ContextsThatComeAndGoLeaveNothing() => Run(TimeSpan.FromSeconds(60), "many", "1000");

    [Fact]
    [Trait("Tier", "All")]
    public void TenThousandContextsLeaveNothing()
    {
        Run(TimeSpan.FromSeconds(60), "many", "500");
        var before = Holdings.Of(lab, "h1");
        Run(TimeSpan.FromSeconds(300), "many", "10000");
        var after = Holdings.Of(lab, "h1");
        Assert.InRange(after.Descriptors, 0, before.Descriptors + 5);
    }

    /// <summary>Pages that are not shared with the router are reached through the process: a child's are its own all the same.</summary>
    [Theory]
    [InlineData("fork-with-init")]
    [InlineData("fork-without-init")]
    public void WithoutSharedPages(string name) => Run(TimeSpan.FromSeconds(60), ["env", "FREEFLOW_SHARE=off"], name);

    /// <summary>A library that is opened by dlopen() finds the device like one that is linked (tests/Programs/verbs-dlopen.c).</summary>
    [Fact]
    public void WithALibraryThatIsOpenedLater() => Must(lab.Hosts.Exec("h1c1", TimeSpan.FromSeconds(60), LabFixture.TestProgram("verbs-dlopen")));

    private void Run(TimeSpan bound, params string[] words) => Run(bound, [], words);

    private void Run(TimeSpan bound, string[] before, params string[] words) =>
        Must(lab.Hosts.Exec("h1c1", bound, [.. before, LabFixture.TestProgram("verbs-processes"), .. words]));

    private void Must(ProgramResult result)
    {
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Contains("as specified", result.Output);
        Holdings.MustVanish(lab, "h1");
    }
}
