namespace Freeflow.EndToEnd.Tests.Programs;

/// <summary>Random work of every kind, all of it compared (tests/Programs/verbs-check.c).</summary>
public sealed class VerbsCheckMovesEveryByte(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 18600;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(120);

    public static TheoryData<string, Placement> Short => PerftestRunsUnmodified.Lines("-q 4 -r 20", "-q 8 -r 10 -e");

    public static TheoryData<string, Placement> Long => PerftestRunsUnmodified.Lines(
        "-q 1 -r 150 -s 11", "-q 6 -r 150 -s 12", "-q 12 -r 60 -s 13 -e");

    [Theory]
    [MemberData(nameof(Short))]
    public void OnSeveralQps(string options, Placement placement) => Run(options, placement);

    [Theory]
    [Trait("Tier", "All")]
    [MemberData(nameof(Long))]
    public void ForALongTime(string options, Placement placement) => Run(options, placement);

    /// <summary>Everything goes through the process's own memory then, the other way of copying.</summary>
    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void WithoutSharedPages(Placement placement) => Run("-q 4 -r 20 -s 3", placement, "env", "FREEFLOW_SHARE=off");

    private void Run(string options, Placement placement, params string[] before)
    {
        var said = new ProgramPair(lab, placement).RunOn(
            Port, s_bound, [.. before, LabFixture.TestProgram("verbs-check"), .. options.Split(' ')]);
        Assert.Matches(@"^verified \d+ operations", said);
    }
}
