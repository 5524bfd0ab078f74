using System.Text.RegularExpressions;

namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

/// <summary>ASP.NET Core's server and .NET's client (tests/Programs/kestrel).</summary>
public sealed class KestrelRunsUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 5000;
    private const int Requests = 60;
    private const int AtOnce = 6;

    [Theory]
    [Trait("Tier", "All")]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void ForHttpClient(Placement placement)
    {
        var program = Path.Combine(lab.Hosts.Paths.Repository, "artifacts/bin/kestrel/release/kestrel");
        using var server = new ServerProgram(lab, placement, Port, program, "serve", $"{Port}");
        var kept = Talk(Port, "1.1", "keep");
        Assert.InRange(kept, 1, AtOnce);
        var each = Talk(Port, "1.1", "close") - kept;
        Assert.Equal(Requests + 1, each);
        var streams = Talk(Port + 1, "2", "keep") - kept - each;
        Assert.InRange(streams, 1, AtOnce);
        server.MustHaveAccelerated(kept + each + streams);

        int Talk(int port, string version, string habit)
        {
            var said = server.Run(program, "talk", server.Address, $"{port}", version, habit);
            var told = Regex.Match(said, $"^{Requests} right, connections and peer: ([0-9]+) {Regex.Escape(server.ClientAddress)}$", RegexOptions.Multiline);
            Assert.True(told.Success, said);
            return int.Parse(told.Groups[1].Value);
        }
    }
}
