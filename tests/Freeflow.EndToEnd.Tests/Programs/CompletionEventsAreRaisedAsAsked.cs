namespace Freeflow.EndToEnd.Tests.Programs;

/// <summary>Arming, solicited completions, errors, events that nobody read (tests/Programs/verbs-events.c).</summary>
public sealed class CompletionEventsAreRaisedAsAsked(LabFixture lab) : IClassFixture<LabFixture>
{
    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void ForSendsAndFlushes(Placement placement) => Assert.Contains(
        "as specified", new ProgramPair(lab, placement).RunOn(18602, TimeSpan.FromSeconds(30), LabFixture.TestProgram("verbs-events")));
}
