using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Faults;

/// <summary>
/// Two open devices of a container up to what it may have (tests/Programs/verbs-limits.c): ENOMEM beyond, another container is
/// not concerned, and what is given back, by whatever end, can be had again in the same number.
/// </summary>
[Trait("Tier", "All")]
public sealed class ContainersGetNoMoreThanTheirs(ScarceLab lab) : IClassFixture<ScarceLab>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    // 0: whatever it is, for the engine keeps something beside a QP. Of what every device has, two are gone already. A ring has a head and twice the slots that are asked for, since one stays empty.
    public static TheoryData<string, int> Kinds => new()
    {
        { "pd", 38 },
        { "cq", 38 },
        { "qp", 38 },
        { "srq", 40 },
        { "mr", 100 },
        { "mw", 40 },
        { "ah", 40 },
        { "group", 40 },
        { "channel", 40 },
        { "device", 38 },
        { "registered-bytes", 32 },
        { "queue-bytes-of-cqs", 15 },
        { "queue-bytes-of-qps", 0 },
        { "queue-bytes-of-srqs", 15 },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void UpToTheLimitAsOftenAsTheyLike(string kind, int number)
    {
        MustRun("h1c1", kind, number);
        Holdings.MustVanish(lab, "h1");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void WhatAKilledProcessHadCanBeHadAgain(string kind, int number)
    {
        var directory = Directory.CreateTempSubdirectory("freeflow-limits");
        File.SetUnixFileMode(directory.FullName, (UnixFileMode)0b111_111_111);
        string others;
        var full = Path.Combine(directory.FullName, "full");
        using (var greedy = lab.Hosts.Start("h1c1", LabFixture.TestProgram("verbs-limits"), kind, $"{number}", full))
        {
            WaitFor.That($"all {number} of {kind} taken", s_bound, () => greedy.HasExited || File.Exists(full));
            if (greedy.HasExited)
                Assert.Fail(greedy.Wait(TimeSpan.FromSeconds(1)).Everything);
            others = MustRun("h1c2", kind, number);
        }

        directory.Delete(recursive: true);
        Holdings.MustVanish(lab, "h1");
        Assert.Equal(others, MustRun("h1c1", kind, number));
    }

    private string MustRun(string node, string kind, int number)
    {
        var result = lab.Hosts.Exec(node, s_bound, LabFixture.TestProgram("verbs-limits"), kind, $"{number}");
        Assert.True(result.ExitCode == 0 && result.Output.Contains("as specified"), result.Everything);
        return result.Output;
    }
}
