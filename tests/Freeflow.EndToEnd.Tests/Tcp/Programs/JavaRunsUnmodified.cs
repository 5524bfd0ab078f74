namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

/// <summary>The JDK's two ways to a socket (tests/Programs/TcpEcho.java); either end also knows the other's name for it.</summary>
public sealed class JavaRunsUnmodified(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 9000;

    /// <summary>The program is compiled as it starts; this keeps the start short.</summary>
    private static readonly string[] s_java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", LabFixture.TestProgram("TcpEcho.java")];

    [Theory]
    [Trait("Tier", "All")]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void WithChannelsAndSelectors(Placement placement) => Talk("nio", placement);

    [Theory]
    [Trait("Tier", "All")]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void WithBlockingSockets(Placement placement) => Talk("net", placement);

    private void Talk(string way, Placement placement)
    {
        const int Connections = 16;
        using var server = new ServerProgram(lab, placement, Port, [.. s_java, $"serve-{way}", $"{Port}"]);
        Assert.Equal($"{Connections} right\n", server.Run([.. s_java, $"talk-{way}", server.Address, $"{Port}", $"{Connections}"]));
        server.MustHaveAccelerated(Connections);
    }
}
