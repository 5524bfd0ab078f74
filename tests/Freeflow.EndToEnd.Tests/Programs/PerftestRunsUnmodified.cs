namespace Freeflow.EndToEnd.Tests.Programs;

/// <summary>perftest as Debian ships it. It does not look at its data; <see cref="VerbsCheckMovesEveryByte"/> does.</summary>
public sealed class PerftestRunsUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(120);

    public static TheoryData<string, Placement> Lines(params string[] lines)
    {
        var data = new TheoryData<string, Placement>();
        foreach (var line in lines)
        {
            data.Add(line, Placement.SameHost);
            data.Add(line, Placement.AcrossHosts);
        }

        return data;
    }

    public static TheoryData<string, Placement> Usual => Lines(
        "ib_send_bw", "ib_send_lat", "ib_write_bw", "ib_write_lat", "ib_read_bw", "ib_read_lat", "ib_atomic_bw", "ib_atomic_lat");

    /// <summary>2 B to 8 MiB. The atomics have one size.</summary>
    public static TheoryData<string, Placement> AllSizes => Lines(
        "ib_send_bw -a -n 100", "ib_send_lat -a -n 100", "ib_write_bw -a -n 100", "ib_write_lat -a -n 100",
        "ib_read_bw -a -n 100", "ib_read_lat -a -n 100");

    /// <summary>What each program offers of several QPs, both directions and events; it refuses the rest itself.</summary>
    public static TheoryData<string, Placement> Ways => Lines(
        "ib_send_bw -q 8", "ib_write_bw -q 8", "ib_read_bw -q 8", "ib_atomic_bw -q 8",
        "ib_send_bw -b", "ib_write_bw -b", "ib_read_bw -b", "ib_atomic_bw -b",
        "ib_send_bw -e", "ib_send_lat -e", "ib_read_bw -e", "ib_read_lat -e", "ib_atomic_bw -e", "ib_atomic_lat -e");

    public static TheoryData<string, Placement> SharedReceivesInlineDataAndRates => Lines(
        "ib_send_bw --use-srq", "ib_send_lat --use-srq", "ib_send_bw --use-srq -q 4", "ib_send_bw --use-srq -b", "ib_send_bw --use-srq -e",
        "ib_send_bw --use-srq -c UC", "ib_send_lat --use-srq -c UD", "ib_send_bw --use-srq -c UD",
        "ib_send_bw --inline_size 64 -s 64", "ib_send_lat -I 200 -s 200", "ib_write_bw -I 128 -s 128",
        "ib_write_bw --rate_limit 1 --rate_limit_type SW -n 1000");

    /// <summary>
    /// Not -e with -q and -b: perftest before 23.07 waits for an event while completions of the one before lie unpolled,
    /// which ends by luck only (its own "Fix BW tests stuck pending completion event").
    /// </summary>
    public static TheoryData<string, Placement> Together => Lines(
        "ib_send_bw -a -q 8 -b -n 100", "ib_write_bw -a -q 8 -b -n 100", "ib_read_bw -a -q 8 -b -n 100");

    /// <summary>UC and UD, of the programs that offer them. A datagram is at most as long as the port's MTU.</summary>
    public static TheoryData<string, Placement> Unreliable => Lines(
        "ib_send_bw -c UC", "ib_write_lat -c UC", "ib_send_bw -c UC -b", "ib_send_bw -c UD", "ib_send_bw -c UD -q 8", "ib_send_lat -c UD -e");

    public static TheoryData<string, Placement> UnreliableWays => Lines(
        "ib_send_lat -c UC", "ib_write_bw -c UC", "ib_send_lat -c UD", "ib_send_bw -c UC -q 8", "ib_write_bw -c UC -q 8",
        "ib_write_bw -c UC -b", "ib_send_bw -c UD -b", "ib_send_bw -c UC -e", "ib_send_lat -c UC -e", "ib_send_bw -c UD -e",
        "ib_send_bw -c UD -x 0", "ib_send_bw -c UD -s 64 -n 100000", "ib_send_bw -c UC -s 64 -n 100000");

    public static TheoryData<string, Placement> UnreliableAllSizes => Lines(
        "ib_send_bw -c UC -a -n 100", "ib_send_lat -c UC -a -n 100", "ib_write_bw -c UC -a -n 100", "ib_write_lat -c UC -a -n 100",
        "ib_send_bw -c UD -a", "ib_send_lat -c UD -a", "ib_send_bw -c UC -a -q 8 -b -n 100", "ib_write_bw -c UC -a -q 8 -b -n 100");

    [Theory]
    [MemberData(nameof(Unreliable))]
    public void OverUcAndUd(string line, Placement placement) => Run(line, placement);

    [Theory]
    [Trait("Tier", "All")]
    [MemberData(nameof(UnreliableWays))]
    public void OverUcAndUdWithSeveralQpsBothDirectionsAndEvents(string line, Placement placement) => Run(line, placement);

    [Theory]
    [Trait("Tier", "All")]
    [MemberData(nameof(UnreliableAllSizes))]
    public void OverUcAndUdInAllSizes(string line, Placement placement) => Run(line, placement);

    [Theory]
    [MemberData(nameof(Usual))]
    public void WithItsDefaults(string line, Placement placement) => Run(line, placement);

    [Theory]
    [MemberData(nameof(Ways))]
    public void WithSeveralQpsBothDirectionsAndEvents(string line, Placement placement) => Run(line, placement);

    [Theory]
    [MemberData(nameof(SharedReceivesInlineDataAndRates))]
    public void WithSharedReceivesInlineDataAndRates(string line, Placement placement) => Run(line, placement);

    /// <summary>Rates by the device and XRC are not offered, as on an rxe device: the program says so and ends.</summary>
    [Theory]
    [InlineData("ib_write_bw --rate_limit 1 --rate_limit_type HW", "rate limit")]
    [InlineData("ibv_xsrq_pingpong", "Couldn't Open the XRC Domain")]
    public void WhatTheDeviceDoesNotOfferIsRefused(string line, string said)
    {
        var result = lab.Hosts.Exec("h1c1", s_bound, line.Split(' '));
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(said, result.Everything, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [Trait("Tier", "All")]
    [MemberData(nameof(AllSizes))]
    public void OverItsWholeSizeRange(string line, Placement placement) => Run(line, placement);

    [Theory]
    [Trait("Tier", "All")]
    [MemberData(nameof(Together))]
    public void WithEverythingAtOnce(string line, Placement placement) => Run(line, placement);

    private void Run(string line, Placement placement) => new ProgramPair(lab, placement).Run(s_bound, line.Split(' '));
}
