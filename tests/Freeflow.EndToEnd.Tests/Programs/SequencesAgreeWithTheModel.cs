using System.Globalization;
using Freeflow.Verbs.Model.Sequences;

namespace Freeflow.EndToEnd.Tests.Programs;

/// <summary>
/// Sequences of verbs calls, right and wrong, that are answered as a plain model of a Soft-RoCE device says, which is compared
/// with a kernel's own device (<see cref="VirtualMachines.SequencesOnTheKernelsDevice"/>): random ones, and those that are kept in tests/Recordings.
/// </summary>
[Trait("Tier", "All")]
public sealed class SequencesAgreeWithTheModel(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 18605;
    private const string SeedsVariable = "FREEFLOW_SEQUENCE_SEEDS";
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(120);

    /// <summary>How many seeds, from 1 on; more of them than usual by the environment.</summary>
    private static int Seeds =>
        int.TryParse(Environment.GetEnvironmentVariable(SeedsVariable), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 30;

    public static TheoryData<string> Recordings =>
        [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "recordings"), "*.sequence").Select(file => Path.GetFileName(file)!).Order()];

    [Fact]
    public void RandomOnesOfOneProcess() => RunSeeds(RunAlone);

    [Fact]
    public void RandomOnesAcrossHosts() => RunSeeds(RunBoth);

    [Theory]
    [MemberData(nameof(Recordings))]
    public void RecordedOnes(string recording)
    {
        var file = Path.Combine(AppContext.BaseDirectory, "recordings", recording);
        var (alone, both) = (RunAlone(file), RunBoth(file));
        Assert.True(alone is null, alone);
        Assert.True(both is null, both);
    }

    private void RunSeeds(Func<string, string?> run)
    {
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var file = Path.Combine(lab.Hosts.Paths.State, $"sequence-{seed}");
            var sequence = SequenceGenerator.Generate(seed);
            File.WriteAllText(file, sequence);
            if (run(file) is { } difference)
                Assert.Fail($"seed {seed}:\n{difference}\n{sequence}");
            File.Delete(file);
        }

        Holdings.MustVanish(lab, "h1");
        Holdings.MustVanish(lab, "h2");
    }

    /// <summary>One process plays both sides. Null when all was as recorded, otherwise what was not.</summary>
    private string? RunAlone(string file)
    {
        var result = lab.Hosts.Exec("h1c1", s_bound, LabFixture.TestProgram("verbs-sequence"), file);
        return result.ExitCode == 0 ? null : result.Everything;
    }

    /// <summary>A process on each host plays one side.</summary>
    private string? RunBoth(string file)
    {
        var port = Port.ToString(CultureInfo.InvariantCulture);
        using var server = lab.StartListening("h2c1", Port, LabFixture.TestProgram("verbs-sequence"), file, port);
        var client = lab.Hosts.Exec("h1c1", s_bound, LabFixture.TestProgram("verbs-sequence"), file, port, LabFixture.AddressOf("h2c1"));
        var served = server.Wait(TimeSpan.FromSeconds(30));
        return client.ExitCode == 0 && served.ExitCode == 0 ? null : $"a, in h2c1: {served.Everything}\nb, in h1c1: {client.Everything}";
    }
}
