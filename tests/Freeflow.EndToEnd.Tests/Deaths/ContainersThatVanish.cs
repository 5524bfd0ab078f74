using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Deaths;

/// <summary>A whole container goes in mid-transfer: its processes, its addresses, its network.</summary>
public sealed class ContainersThatVanish(BreakableLab lab) : IClassFixture<BreakableLab>
{
    [Fact]
    public void ThePeerSeesRetriesRunOutAndNothingOfTheContainerIsLeft()
    {
        // Nobody else's: it does not come back.
        const string Victim = "h2c4";
        using var bystanders = new Bystanders(lab);
        using var server = lab.StartListening(Victim, 18515, "ib_write_bw", "--run_infinitely");
        using var client = lab.Hosts.Start("h1c1", "ib_write_bw", "--run_infinitely", LabFixture.AddressOf(Victim));
        Metrics.AwaitMessages(lab, "h1c1", 100);
        LabProcesses.Kill(int.Parse(File.ReadAllText(lab.Hosts.Paths.NodeFile(Victim))), "KILL");
        var ended = client.Wait(TimeSpan.FromSeconds(30));
        Assert.True(ended.ExitCode is not 0 and not 124, ended.Everything);
        bystanders.MustBeWell();
        Holdings.MustVanish(lab, "h1");
        Holdings.MustVanish(lab, "h2");
        var address = LabFixture.AddressOf(Victim);
        foreach (var host in new[] { "h1", "h2" })
        {
            WaitFor.That($"{address} out of {host}'s directory", LabFixture.UntilForgotten,
                () => !lab.Status(host).GetProperty("Addresses").TryGetProperty(address, out _));
        }
    }
}
