namespace Freeflow.EndToEnd.Tests.Faults;

/// <summary>Whoever can reach a router's data port and is no router gets no further, and harms nobody.</summary>
public sealed class GarbageOnTheDataPort(LabFixture lab) : IClassFixture<LabFixture>
{
    private const string Port = "/dev/tcp/192.168.50.2/4481";
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("random bytes", $"head -c 100000 /dev/urandom > {Port}; true")]
    [InlineData("a long line of nothing", $"head -c 10000000 /dev/zero > {Port}; true")]
    [InlineData("a stranger's HTTP", $"printf 'GET / HTTP/1.1\\r\\n\\r\\n' > {Port}; true")]
    [InlineData("connections that say nothing", $"for i in $(seq 200); do exec {{fd}}<>{Port}; done; sleep 1")]
    [InlineData("connections that close at once", $"for i in $(seq 300); do : > {Port}; done")]
    public void IsTurnedAway(string what, string script)
    {
        using var bystanders = new Bystanders(lab);
        var result = lab.Hosts.Exec("h1", s_bound, "bash", "-c", script);
        Assert.True(result.ExitCode == 0, $"{what}: {result.Everything}");
        bystanders.MustBeWell();
        Assert.Equal(1, lab.Status("h2").GetProperty("Engine").GetProperty("Links").GetInt32());
    }

    [Fact]
    public void ASilentConnectionIsClosedWithinTheHandshakesBound()
    {
        // `read` ends with the router's end of the connection, or after 20 s with a status above 128.
        var result = lab.Hosts.Exec("h1", s_bound, "bash", "-c", $"exec 5<>{Port}; timeout 20 cat <&5 >/dev/null");
        Assert.True(result.ExitCode == 0, result.Everything);
    }
}
