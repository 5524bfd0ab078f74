using System.Text.RegularExpressions;

namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

public sealed class NodeRunsUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 3000;
    private const int AtOnce = 6;

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void WithConnectionsThatAreKept(Placement placement) => Assert.InRange(Talk("keep", placement), 1, AtOnce);

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void WithAConnectionForEachRequest(Placement placement) => Assert.Equal(61, Talk("close", placement));

    private int Talk(string habit, Placement placement)
    {
        var program = LabFixture.TestProgram("http-echo.js");
        using var server = new ServerProgram(lab, placement, Port, "node", program, "serve", $"{Port}");
        var said = server.Run("node", program, "talk", server.Address, $"{Port}", habit);
        var told = Regex.Match(said, $"^60 right, connections and peer: ([0-9]+) ::ffff:{Regex.Escape(server.ClientAddress)}$", RegexOptions.Multiline);
        Assert.True(told.Success, said);
        var connections = int.Parse(told.Groups[1].Value);
        server.MustHaveAccelerated(connections);
        return connections;
    }
}
