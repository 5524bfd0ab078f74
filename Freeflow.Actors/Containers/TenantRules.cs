using Freeflow.Verbs.Containers;

namespace Freeflow.Actors.Containers;

/// <summary>
/// Tells whose a container is: by the bridge of this host that its interface is attached to. The kernel knows that; nothing that
/// the container says counts.
/// </summary>
/// <param name="ByBridge">The bridges of tenants other than the default one.</param>
public sealed record TenantRules(IReadOnlyDictionary<string, Tenant> ByBridge)
{
    public static TenantRules None { get; } = new(new Dictionary<string, Tenant>());

    public Tenant TenantOf(NetworkNamespace container, IReadOnlyList<InterfaceAddress> addresses) =>
        ByBridge.Count == 0 ? Tenant.Default : TenantOf(HostBridges.Of(container), addresses);

    /// <param name="bridges">The bridges that the container is attached to, by the index of its interface.</param>
    /// <param name="addresses">Its addresses: where it is attached to several, the first one's counts.</param>
    internal Tenant TenantOf(IReadOnlyDictionary<int, string> bridges, IReadOnlyList<InterfaceAddress> addresses)
    {
        foreach (var address in addresses)
        {
            if (bridges.TryGetValue(address.InterfaceIndex, out var bridge) && ByBridge.TryGetValue(bridge, out var tenant))
                return tenant;
        }

        return Tenant.Default;
    }
}
