using System.Globalization;
using System.Text.RegularExpressions;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Faults;

/// <summary>
/// A process that speaks to its router without shim or library (tests/Freeflow.Fuzz), and says and writes whatever it likes:
/// everything is answered, nothing of others is harmed, nothing is left.
/// </summary>
[Trait("Tier", "All")]
public sealed partial class HostileProcesses(LabFixture lab) : IClassFixture<LabFixture>
{
    private const double UsualSeconds = 20;

    /// <summary>Descriptors that a runtime opens and closes as it likes.</summary>
    private const int Slack = 5;

    private static readonly TimeSpan s_bound = TimeSpan.FromMinutes(4);

    private string Corpus => Path.Combine(lab.Hosts.Paths.Repository, "tests/Freeflow.Fuzz/Corpus");

    [Fact]
    public void WhatWasFoundBeforeHarmsNobody() => MustBeHarmless(s_bound, "replay", Corpus);

    [Fact]
    public void CommandsOfEveryLengthAreRefusedOrCarriedOut() => MustBeHarmless(s_bound, "truncations");

    /// <summary>FREEFLOW_FUZZ_MINUTES makes it longer.</summary>
    [Fact]
    public void RandomSequencesHarmNobody()
    {
        var asked = Environment.GetEnvironmentVariable("FREEFLOW_FUZZ_MINUTES");
        var seconds = string.IsNullOrEmpty(asked) ? UsualSeconds : 60 * double.Parse(asked, CultureInfo.InvariantCulture);
        MustBeHarmless(
            TimeSpan.FromSeconds(seconds) + s_bound, "run", "--seconds", seconds.ToString(CultureInfo.InvariantCulture), "--corpus", Corpus);
    }

    private void MustBeHarmless(TimeSpan bound, params string[] words)
    {
        // What a router makes once for all containers is there from the first one on.
        Fuzz(s_bound, "replay", "1");
        Holdings.MustVanish(lab, "h1");
        Holdings.MustVanish(lab, "h2");
        var (router, held, logged) = (lab.Hosts.Routers.PidOf("h1"), Holdings.Of(lab, "h1"), lab.RouterLog("h1").Length);

        using (var bystanders = new Bystanders(lab))
        {
            Fuzz(bound, words);
            bystanders.MustBeWell();
        }

        Assert.Equal(router, lab.Hosts.Routers.PidOf("h1"));
        Holdings.MustVanish(lab, "h1");
        Holdings.MustVanish(lab, "h2");
        WaitFor.That("no descriptor left in h1's router", s_bound, () => Holdings.Of(lab, "h1").Descriptors <= held.Descriptors + Slack,
            () => $"{held} before, {Holdings.Of(lab, "h1")} now");
        var log = lab.RouterLog("h1")[logged..].Split('\n');
        Assert.DoesNotContain(log, line => Defects().IsMatch(line));

        // Nobody fills the log by one connection.
        var lines = log.Select(line => ConnectionsEnds().Match(line)).Where(match => match.Success).CountBy(match => match.Value);
        Assert.All(lines, each => Assert.True(each.Value <= 1, $"{each.Value} lines for {each.Key}"));
    }

    private void Fuzz(TimeSpan bound, params string[] words)
    {
        var program = Path.Combine(lab.Hosts.Paths.Repository, "artifacts/bin/Freeflow.Fuzz/release/freeflow-fuzz");
        var result = lab.Hosts.Exec("h1c1", bound, ["env", "-u", "LD_PRELOAD", program, .. words]);
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Contains("0 found", result.Output);
    }

    [GeneratedRegex(@" (fail|crit): |\[ERROR\]|Exception|defect")]
    private static partial Regex Defects();

    [GeneratedRegex(@"Connection \d+ of container \d+:")]
    private static partial Regex ConnectionsEnds();
}
