using Freeflow.Actors.Inspection;

namespace Freeflow.Router.Control;

/// <summary>The memory regions of this host's containers.</summary>
/// <param name="MemoryRegions">The first ones, by key.</param>
/// <param name="Total">How many there are.</param>
/// <param name="Silent">How many parts of the router have not said theirs in time.</param>
public sealed record MemoryRegionsAnswer(IReadOnlyList<MemoryRegionAnswer> MemoryRegions, int Total, int Silent);

/// <param name="MemoryRegion">The MR.</param>
/// <param name="Tenant">Its container's.</param>
/// <param name="Address">Its container's first address.</param>
public sealed record MemoryRegionAnswer(MemoryRegionSeen MemoryRegion, string Tenant, string Address);
