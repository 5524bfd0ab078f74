using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Faults;

/// <summary>
/// A router without descriptors: who asks for more gets ENOMEM, those that it serves do not notice, and when there are some
/// again everything is as before.
/// </summary>
[Trait("Tier", "All")]
public sealed class RoutersThatRunOut(ScarceLab lab) : IClassFixture<ScarceLab>
{
    private const string Host = "h1";

    /// <summary>What the runtime opens and closes by itself.</summary>
    private const int Slack = 10;

    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(90);

    [Theory]
    [InlineData("channel", 40)]
    [InlineData("cq", 38)]
    [InlineData("qp", 38)]
    [InlineData("srq", 40)]
    [InlineData("device", 38)]
    public void InTheMiddleOfAProgram(string kind, int number)
    {
        // Two devices with what belongs to them take some thirty, a third one fifteen.
        const int forTheProgram = 60;
        var program = LabFixture.TestProgram("verbs-limits");
        Holdings.MustVanish(lab, Host);
        var before = Descriptors();
        using var bystanders = BusyBystanders();
        WithOnly(Descriptors() + forTheProgram, () =>
        {
            var result = lab.Hosts.Exec("h1c2", s_bound, program, kind, "-1");
            Assert.True(result.ExitCode == 0, result.Everything);
        });
        bystanders.MustBeWell();
        Holdings.MustVanish(lab, Host);
        var whole = lab.Hosts.Exec("h1c2", s_bound, program, kind, $"{number}");
        Assert.True(whole.ExitCode == 0, whole.Everything);
        MustBeBackAt(before);
    }

    [Fact]
    public void BeforeAProgramBegins()
    {
        Holdings.MustVanish(lab, Host);
        var before = Descriptors();
        using var bystanders = BusyBystanders();
        for (var left = 0; left < 30; left += 2)
        {
            WithOnly(Descriptors() + left, () =>
            {
                var result = lab.Hosts.Exec("h1c2", s_bound, "ibv_devinfo");
                Assert.NotEqual(124, result.ExitCode);
            });
        }

        var afterwards = lab.Hosts.Exec("h1c2", s_bound, "ibv_devinfo");
        Assert.True(afterwards.ExitCode == 0, afterwards.Everything);
        bystanders.MustBeWell();
        Holdings.MustVanish(lab, Host);
        MustBeBackAt(before);
    }

    private Bystanders BusyBystanders()
    {
        var bystanders = new Bystanders(lab, "h1c1", "h1c2");
        WaitFor.That("the bystanders' QPs", s_bound, () => Holdings.Of(lab, Host).QueuePairs >= 4, () => $"{Holdings.Of(lab, Host)}");
        return bystanders;
    }

    private void MustBeBackAt(int before)
    {
        Holdings.MustVanish(lab, Host);
        WaitFor.That($"at most {before + Slack} descriptors in {Host}'s router", s_bound, () => Descriptors() <= before + Slack, () => $"{Descriptors()}");
    }

    private int Descriptors() => Directory.EnumerateFileSystemEntries($"/proc/{lab.Hosts.Routers.PidOf(Host)}/fd").Count();

    private void WithOnly(int descriptors, Action act)
    {
        var pid = $"{lab.Hosts.Routers.PidOf(Host)}";
        var usual = Limit(pid, "--output=SOFT", "--noheadings", "--nofile").Trim();
        Limit(pid, $"--nofile={descriptors}:");
        try
        {
            act();
        }
        finally
        {
            Limit(pid, $"--nofile={usual}:");
        }
    }

    private static string Limit(string pid, params string[] options)
    {
        var result = Shell.Run(TimeSpan.FromSeconds(20), new Dictionary<string, string>(), ["prlimit", "--pid", pid, .. options]);
        Assert.True(result.ExitCode == 0, result.Everything);
        return result.Output;
    }
}
