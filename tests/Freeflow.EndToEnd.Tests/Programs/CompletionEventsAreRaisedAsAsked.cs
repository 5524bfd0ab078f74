namespace Freeflow.EndToEnd.Tests.Programs;

/// <summary>Arming, solicited completions, errors, events that nobody read (tests/Programs/verbs-events.c).</summary>
[Collection(LabFixture.Name)]
public sealed class CompletionEventsAreRaisedAsAsked(LabFixture lab)
{
    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void ForSendsAndFlushes(Placement placement) => Assert.Contains(
        "as specified", new ProgramPair(lab, placement).RunOn(18602, TimeSpan.FromSeconds(30), LabFixture.TestProgram("verbs-events")));
}
