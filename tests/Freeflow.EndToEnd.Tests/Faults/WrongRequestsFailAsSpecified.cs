using Freeflow.EndToEnd.Tests.Programs;

namespace Freeflow.EndToEnd.Tests.Faults;

/// <summary>
/// One wrong request on one QP: the completion that the specification has for it, the rest flushed, and another QP of the
/// same process works on (tests/Programs/verbs-faults.c).
/// </summary>
public sealed class WrongRequestsFailAsSpecified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 18601;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    public static TheoryData<string, Placement> Cases => PerftestRunsUnmodified.Lines(
        "foreign-lkey", "unknown-lkey", "foreign-rkey",
        "beyond-local", "before-local", "wrapping-local",
        "beyond-remote-write", "beyond-remote-read", "beyond-remote-atomic", "wrapping-remote",
        "read-into-read-only", "deregistered",
        "too-long", "bad-receive", "nobody-receives",
        "unmapped-local", "unmapped-remote",
        "wrong-work-requests");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Case(string name, Placement placement) =>
        Assert.Contains("as specified", Run(placement, [LabFixture.TestProgram("verbs-faults"), name]));

    [Theory]
    [InlineData("unmapped-local", Placement.SameHost)]
    [InlineData("unmapped-local", Placement.AcrossHosts)]
    [InlineData("unmapped-remote", Placement.SameHost)]
    [InlineData("unmapped-remote", Placement.AcrossHosts)]
    public void MemoryThatIsNotSharedAndNotThereAnyMore(string name, Placement placement) =>
        Assert.Contains("as specified", Run(placement, ["env", "FREEFLOW_SHARE=off", LabFixture.TestProgram("verbs-faults"), name]));

    [Fact]
    public void NoSharedFileCanBeTruncatedOrMadeLonger() =>
        Assert.Contains("as specified", new ProgramPair(lab, Placement.SameHost) { PrivilegedClient = true }
            .RunOn(Port, s_bound, LabFixture.TestProgram("verbs-faults"), "truncation"));

    private string Run(Placement placement, string[] command) => new ProgramPair(lab, placement).RunOn(Port, s_bound, command);
}
