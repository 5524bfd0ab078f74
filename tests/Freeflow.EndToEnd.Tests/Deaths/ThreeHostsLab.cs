namespace Freeflow.EndToEnd.Tests.Deaths;

/// <summary>A lab beside the shared one with three hosts, the fewest of which a majority can be seen.</summary>
public sealed class ThreeHostsLab : LabFixture
{
    public ThreeHostsLab()
        : base("three") => Hosts.Up(new() { Hosts = 3, Containers = 2 });
}
