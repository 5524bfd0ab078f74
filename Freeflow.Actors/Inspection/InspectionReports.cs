namespace Freeflow.Actors.Inspection;

/// <summary>What there is of containers.</summary>
/// <param name="Containers">The first ones, by their first address.</param>
/// <param name="Total">How many there are.</param>
/// <param name="Silent">Actors that have not answered in time: what they know is missing.</param>
public sealed record ContainersReport(IReadOnlyList<ContainerReport> Containers, int Total, int Silent);

/// <summary>A container with its processes.</summary>
public sealed record ContainerReport(ContainerSeen Container, IReadOnlyList<ConnectionSeen> Connections)
{
    public ObjectCounts Objects => Connections.Aggregate(ObjectCounts.None, (sum, connection) => sum.Plus(connection.Objects));
}

/// <summary>What there is of QPs.</summary>
/// <param name="QueuePairs">The first ones, by QPN.</param>
/// <param name="Containers">Those that they are of.</param>
/// <param name="Total">How many there are.</param>
/// <param name="Silent">Actors that have not answered in time: what they know is missing.</param>
public sealed record QueuePairsReport(IReadOnlyList<QueuePairSeen> QueuePairs, IReadOnlyList<ContainerSeen> Containers, int Total, int Silent);

/// <summary>What there is of MRs.</summary>
/// <param name="MemoryRegions">The first ones, by key.</param>
/// <param name="Containers">Those that they are of.</param>
/// <param name="Total">How many there are.</param>
/// <param name="Silent">Actors that have not answered in time: what they know is missing.</param>
public sealed record MemoryRegionsReport(IReadOnlyList<MemoryRegionSeen> MemoryRegions, IReadOnlyList<ContainerSeen> Containers, int Total, int Silent);
