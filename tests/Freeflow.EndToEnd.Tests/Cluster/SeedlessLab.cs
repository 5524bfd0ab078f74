namespace Freeflow.EndToEnd.Tests.Cluster;

/// <summary>Three hosts whose routers are not told of each other: what they know is the overlay's. They are started all at once.</summary>
public sealed class SeedlessLab : LabFixture
{
    public const int Count = 3;

    public SeedlessLab()
        : base("seedless") => Hosts.Up(new() { Hosts = Count, Containers = 1, WithoutSeeds = true });

    public static IEnumerable<string> Names => Enumerable.Range(1, Count).Select(Freeflow.Lab.LabLayout.Host);
}
