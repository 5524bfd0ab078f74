namespace Freeflow.EndToEnd.Tests.Faults;

/// <summary>
/// Containers that speak to their router themselves, and badly (tests/Programs/hostile-channel.c), or that write over what
/// they share with it. The router answers as its protocol says, others' traffic goes on, nothing is left.
/// </summary>
public sealed class HostileContainersAreContained(LabFixture lab) : IClassFixture<LabFixture>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("silent")]
    [InlineData("old-version")]
    [InlineData("wrong-first-words")]
    [InlineData("wrong-descriptors")]
    [InlineData("random-messages")]
    [InlineData("wrong-offsets")]
    [InlineData("many-connections")]
    public void OnTheRoutersSocket(string name)
    {
        using var bystanders = new Bystanders(lab);
        var result = lab.Hosts.Exec("h1c1", s_bound, LabFixture.TestProgram("hostile-channel"), name);
        Assert.True(result.ExitCode == 0, result.Everything);
        bystanders.MustBeWell();
        Holdings.MustVanish(lab, "h1");
    }

    [Theory]
    [InlineData("random-commands")]
    [InlineData("scribbled-rings")]
    public void OnTheDevice(string name)
    {
        using var bystanders = new Bystanders(lab);
        string[] command = [LabFixture.TestProgram("verbs-faults"), name];
        using var server = lab.StartListening("h2c1", 18601, command);
        var result = lab.Hosts.Exec("h1c1", s_bound, [.. command, LabFixture.AddressOf("h2c1")]);
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal(0, server.Wait(TimeSpan.FromSeconds(10)).ExitCode);
        bystanders.MustBeWell();
        Holdings.MustVanish(lab, "h1");
        Holdings.MustVanish(lab, "h2");
    }

    [Fact]
    public void WithAddressHandlesAndGroups()
    {
        using var bystanders = new Bystanders(lab);
        var result = lab.Hosts.Exec("h1c1", s_bound, LabFixture.TestProgram("verbs-handles"));
        Assert.True(result.ExitCode == 0, result.Everything);
        bystanders.MustBeWell();
        Holdings.MustVanish(lab, "h1");
    }

    [Fact]
    public void OneThatTakesAllItsConnectionsDoesNotKeepOthersFromTheirs()
    {
        using var greedy = lab.Hosts.Start("h1c1", LabFixture.TestProgram("hostile-channel"), "many-connections");
        greedy.AwaitOutput(" connections\n");
        var own = lab.Hosts.Exec("h1c1", s_bound, "ibv_devinfo");
        var other = lab.Hosts.Exec("h1c2", s_bound, "ibv_devinfo");
        Assert.NotEqual(0, own.ExitCode);
        Assert.True(other.ExitCode == 0, other.Everything);
        Assert.Equal(0, greedy.Wait(TimeSpan.FromSeconds(20)).ExitCode);
        Holdings.MustVanish(lab, "h1");
    }
}
