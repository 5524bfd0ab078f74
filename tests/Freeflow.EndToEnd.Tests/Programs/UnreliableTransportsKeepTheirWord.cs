namespace Freeflow.EndToEnd.Tests.Programs;

/// <summary>
/// What a receiver finds of UC messages and datagrams, and which are dropped without a word (tests/Programs/verbs-unreliable.c,
/// verbs-datagrams.c).
/// </summary>
public sealed class UnreliableTransportsKeepTheirWord(LabFixture lab) : IClassFixture<LabFixture>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    public static TheoryData<string, Placement> Connected => PerftestRunsUnmodified.Lines(
        "all-kinds", "no-receive", "short-receive", "foreign-key", "beyond-region", "no-writes");

    public static TheoryData<string, Placement> Datagrams => PerftestRunsUnmodified.Lines(
        "header", "own-qkey", "to-itself", "group", "attributes",
        "wrong-qkey", "no-receive", "short-receive", "beyond-mtu", "no-such-qp", "another-address", "wrong-handles", "unknown-address");

    [Theory]
    [MemberData(nameof(Connected))]
    public void Uc(string name, Placement placement) => Assert.Contains(
        "as specified", new ProgramPair(lab, placement).RunOn(18604, s_bound, LabFixture.TestProgram("verbs-unreliable"), name));

    [Theory]
    [MemberData(nameof(Datagrams))]
    public void Ud(string name, Placement placement) => Assert.Contains(
        "as specified", new ProgramPair(lab, placement).RunOn(18603, s_bound, LabFixture.TestProgram("verbs-datagrams"), name));

    /// <summary>Everything goes through the process's own memory then, the other way of copying.</summary>
    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void UdWithoutSharedPages(Placement placement) => Assert.Contains(
        "as specified", new ProgramPair(lab, placement).RunOn(18603, s_bound, "env", "FREEFLOW_SHARE=off", LabFixture.TestProgram("verbs-datagrams"), "header"));
}
