namespace Freeflow.EndToEnd.Tests.Programs;

/// <summary>SRQs, CQs, memory windows and the events of QPs, each with what it refuses (tests/Programs/verbs-objects.c, verbs-windows.c).</summary>
public sealed class ObjectsBehaveAsSpecified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int ObjectsPort = 18603;
    private const int WindowsPort = 18604;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    public static TheoryData<string, Placement> Objects => PerftestRunsUnmodified.Lines("srq", "srq-empty", "resize", "events");

    public static TheoryData<string, Placement> Windows => PerftestRunsUnmodified.Lines("type1", "type2", "refused", "mixed");

    [Theory]
    [MemberData(nameof(Objects))]
    public void QueuesAndEvents(string name, Placement placement) => Run(ObjectsPort, "verbs-objects", name, placement);

    [Theory]
    [MemberData(nameof(Windows))]
    public void MemoryWindows(string name, Placement placement) => Run(WindowsPort, "verbs-windows", name, placement);

    [Theory]
    [InlineData("verbs-refusals")]
    [InlineData("verbs-ownership")]
    [InlineData("verbs-extended")]
    public void RefusalsAndExtendedInterfaces(string program)
    {
        var result = lab.Hosts.Exec("h1c1", s_bound, LabFixture.TestProgram(program));
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Contains("as specified", result.Output);
        Holdings.MustVanish(lab, "h1");
    }

    private void Run(int port, string program, string name, Placement placement)
    {
        Assert.Contains("as specified", new ProgramPair(lab, placement).RunOn(port, s_bound, LabFixture.TestProgram(program), name));
        Holdings.MustVanish(lab, "h1");
        Holdings.MustVanish(lab, "h2");
    }
}
