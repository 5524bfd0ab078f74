namespace Freeflow.EndToEnd.Tests.Faults;

/// <summary>A lab beside the shared one with one host, whose router each test starts as it needs it.</summary>
public sealed class LittleMemoryLab : LabFixture
{
    public LittleMemoryLab()
        : base("memory") => Hosts.Up(new() { Hosts = 1, Containers = 3, WithoutRouters = true });
}
