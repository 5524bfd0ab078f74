using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Cluster;

/// <summary>Two hosts, of which the first one is the only seed. Routers are killed in it.</summary>
public sealed class OneSeedLab : LabFixture
{
    public const int Count = 2;

    public OneSeedLab()
        : base("one-seed") => Hosts.Up(new()
        {
            Hosts = Count, Containers = 1, WithoutSeeds = true, Settings = [$"freeflow.cluster.seeds={LabLayout.UnderlayAddress(1)}"],
        });
}
