using Freeflow.Verbs.Abi;

namespace Freeflow.Actors.MemoryRegions;

/// <summary>A region's rights in words.</summary>
internal static class MemoryRegionAccess
{
    private static readonly (AccessFlags Right, string Name)[] s_names =
    [
        (AccessFlags.LocalWrite, "LOCAL_WRITE"), (AccessFlags.RemoteWrite, "REMOTE_WRITE"), (AccessFlags.RemoteRead, "REMOTE_READ"), (AccessFlags.RemoteAtomic, "REMOTE_ATOMIC"),
        (AccessFlags.MwBind, "MW_BIND"), (AccessFlags.ZeroBased, "ZERO_BASED"), (AccessFlags.HugeTlb, "HUGETLB"),
    ];

    /// <summary>As verbs calls them, without IBV_ACCESS_; empty: local reads alone.</summary>
    public static string NameOf(AccessFlags access) => string.Join(' ', s_names.Where(entry => (access & entry.Right) != 0).Select(entry => entry.Name));
}
