using System.Net;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Containers;

/// <summary>
/// Tells whose a container is: by the bridge of this host that its interface is attached to. The kernel knows that; nothing that
/// the container says counts.
/// </summary>
/// <param name="ByBridge">The bridges of tenants other than the default one.</param>
public sealed record TenantRules(IReadOnlyDictionary<string, Tenant> ByBridge)
{
    public static TenantRules None { get; } = new(new Dictionary<string, Tenant>());

    public Tenant TenantOf(IReadOnlyList<InterfaceAddress> addresses)
    {
        if (ByBridge.Count == 0)
            return Tenant.Default;
        var bridges = HostBridges.ByMember();
        foreach (var address in addresses)
        {
            if (bridges.TryGetValue(address.PeerIndex, out var bridge) && ByBridge.TryGetValue(bridge, out var tenant))
                return tenant;
        }

        return Tenant.Default;
    }
}
