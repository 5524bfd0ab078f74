namespace Freeflow.EndToEnd.Tests.Tcp;

/// <summary>VNET_PREFIX as users set it, rightly and wrongly: connections work, and are plain where it does not cover them.</summary>
public sealed class ThePrefixSaysWhatIsAccelerated(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Connections = 5;

    public static TheoryData<string, int> Settings => new()
    {
        { "VNET_PREFIX=10.1.0.0/16,10.244.0.0/16", Connections },
        { "VNET_PREFIX=10.244.2.0/24,10.244.1.0/24", Connections },
        { "VNET_PREFIX=0.0.0.0/0", Connections },
        { "VNET_PREFIX=10.244.2.11/32", Connections },
        { "VNET_PREFIX=10.1.0.0/16", 0 },
        { "VNET_PREFIX=10.1.0.0/16,172.16.0.0/12", 0 },
        { "VNET_PREFIX=10.244.1.0/24", 0 },
        { "VNET_PREFIX=10.244.0.0/99", 0 },
        { "VNET_PREFIX=rubbish", 0 },
        { "VNET_PREFIX=", 0 },
    };

    [Theory]
    [MemberData(nameof(Settings))]
    public void AtTheClient(string setting, int accelerated) =>
        new ScenePair(lab, Placement.AcrossHosts) { ClientSettings = [setting] }.MustLookAlike("tcp-wide few", accelerated);

    [Fact]
    public void NothingWithoutIt() => new ScenePair(lab, Placement.AcrossHosts) { ClientSettings = ["-u", "VNET_PREFIX"] }.MustLookAlike("tcp-wide few", 0);

    /// <summary>A server need not know any prefix for clients that do; whether it is reached over the host's network is open.</summary>
    [Theory]
    [InlineData("VNET_PREFIX=10.1.0.0/16")]
    [InlineData("VNET_PREFIX=rubbish")]
    [InlineData("VNET_PREFIX=")]
    public void AtTheServer(string setting) =>
        new ScenePair(lab, Placement.AcrossHosts) { ServerSettings = [setting] }.MustLookAlike("tcp-wide few", 0, Connections);
}
