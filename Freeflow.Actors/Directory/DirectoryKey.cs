using System.Net;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;

namespace Freeflow.Actors.Directory;

/// <summary>An address as a key of the replicated table: TENANT/ADDRESS.</summary>
internal static class DirectoryKey
{
    public static string Of(Tenant tenant, Gid address) => $"{tenant.Name}/{address.ToAddress()}";

    /// <summary>False for what no router of this version writes.</summary>
    public static bool TryParse(string key, out TenantAddress address)
    {
        var slash = key.LastIndexOf('/');
        if (slash > 0 && IPAddress.TryParse(key.AsSpan(slash + 1), out var parsed))
        {
            address = TenantAddress.Of(new Tenant(key[..slash]), Gid.FromAddress(parsed));
            return true;
        }

        address = default;
        return false;
    }
}
