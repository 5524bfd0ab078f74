using Freeflow.Verbs.Containers;

namespace Freeflow.Verbs.Policy;

/// <summary>Containers that belong together.</summary>
/// <param name="Name">Of an address range's tenant, or of one that a bridge tells (<see cref="Tenant"/>).</param>
/// <param name="Ranges">Its addresses; none for one that is told by a bridge, or for those who are in no range.</param>
/// <param name="AllowsWithin">Whether all within it may talk without a rule.</param>
/// <param name="Limits">For its containers on a host together.</param>
/// <param name="ContainerLimits">For each of them.</param>
public sealed record PolicyTenant(
    string Name, IReadOnlyList<AddressRange> Ranges, bool AllowsWithin, PolicyLimits Limits, PolicyLimits ContainerLimits)
{
    /// <summary>Everybody whom no range, no label and no bridge gives to another one.</summary>
    public const string DefaultName = "default";

    /// <summary>KEY=VALUE: an address that has them all, and is in no range, is its. None: it is not told by labels.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    public static PolicyTenant Named(string name) => new(name, [], AllowsWithin: true, PolicyLimits.None, PolicyLimits.None);

    /// <summary>As addresses go by it where a bridge tells the tenant.</summary>
    internal ulong Key { get; } = new Tenant(Name).Key;
}

/// <summary>Limits for the containers that have one of these addresses, before those of their tenant.</summary>
public sealed record PolicyContainer(IReadOnlyList<AddressRange> Ranges, PolicyLimits Limits);
