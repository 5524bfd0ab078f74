namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

/// <summary>memcached hands what it accepts to four threads of its own.</summary>
public sealed class MemcachedRunsUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 11211;

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void ForManyClients(Placement placement)
    {
        const int Connections = 12;
        using var server = new ServerProgram(
            lab, placement, Port, "memcached", "-u", "nobody", "-l", "0.0.0.0", "-p", $"{Port}", "-U", "0", "-t", "4", "-m", "256");
        Assert.Equal("1200 right\n", server.Run(
            "/usr/bin/python3", LabFixture.TestProgram("memcached-compare.py"), server.Address, $"{Port}", $"{Connections}"));
        server.MustHaveAccelerated(Connections);
    }
}
