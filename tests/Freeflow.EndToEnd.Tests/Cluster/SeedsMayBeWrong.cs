using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Cluster;

/// <summary>Two routers on the first host's loopback, beside its own.</summary>
[Trait("Tier", "All")]
public sealed class SeedsMayBeWrong(LabFixture lab) : IClassFixture<LabFixture>
{
    private const string Lower = "127.5.6.1", Higher = "127.5.6.2", Nobody = "127.5.6.9";

    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(120);

    [Fact]
    public void ItIsToldAndAnotherIsFollowed()
    {
        using var directory = new ScratchDirectory();
        var seeds = Path.Combine(directory.Path, "seeds");
        File.WriteAllText(seeds, $"{Nobody}\n");
        using var seeking = Start(directory, Higher, $"FREEFLOW_SEED_FILE={seeds}");
        Until(directory, Higher, "the wrong seed told of", () => Log(directory, Higher).Contains($"no router answers at {Nobody}:4480 (Connection refused) (by file); it goes on looking", StringComparison.Ordinal));
        Assert.Contains("seeds-missed", Ask(directory, Higher, "events"));
        Assert.DoesNotContain(" Up", Ask(directory, Higher, "status"));

        using var alone = Start(directory, Lower, $"FREEFLOW_SEEDS={Lower}");
        Until(directory, Lower, "a cluster of its own", () => Ask(directory, Lower, "status").Contains($"{Lower}:4480 Up", StringComparison.Ordinal));
        File.WriteAllText(seeds, $"{Nobody}\n{Lower}\n");
        Until(directory, Higher, "both in one cluster", () => Ask(directory, Higher, "status") is var status
            && status.Contains($"{Lower}:4480 Up", StringComparison.Ordinal) && status.Contains($"{Higher}:4480 Up", StringComparison.Ordinal));
    }

    [Fact]
    public void ARouterThatIsNotThereIsNotAskedInVain()
    {
        var answer = lab.Hosts.Exec("h1", s_within, "env", "FFR_NAME=other", "freeflow", "status");
        Assert.NotEqual(0, answer.ExitCode);
        Assert.Contains($"there is {LabLayout.RouterName} (FFR_NAME)", answer.Errors);
    }

    private BackgroundProgram Start(ScratchDirectory directory, string address, string seeds) => lab.Hosts.Start("h1", "sh", "-c", $"""
        exec env -u HOST_IP_PREFIX -u FREEFLOW_SEEDS HOST_IP={address} {seeds} FFR_NAME={address} freeflow run --config {lab.Hosts.Paths.LabConfiguration} \
            --set freeflow.cluster.missed-after=2s --set freeflow.admin.port=0 --set freeflow.directory={directory.Path} \
            --set freeflow.runtime-directory={directory.Path} >{directory.Path}/{address}.log 2>&1
        """);

    private void Until(ScratchDirectory directory, string address, string what, Func<bool> holds) => WaitFor.That(what, s_within, holds, () => Log(directory, address));

    private string Ask(ScratchDirectory directory, string address, string question) => lab.Hosts.Exec(
        "h1", s_within, "env", $"FFR_NAME={address}", $"FREEFLOW_RUNTIME_DIR={directory.Path}", "freeflow", question).Output;

    private static string Log(ScratchDirectory directory, string address)
    {
        var file = Path.Combine(directory.Path, address + ".log");
        return File.Exists(file) ? File.ReadAllText(file) : "no log";
    }
}
