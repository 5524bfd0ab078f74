using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.Policy;

/// <summary>What the policy lets a container have, alone and together with its tenant's others on this host.</summary>
public sealed record PolicyBounds(PolicyLimits Own, TenantShare Tenant)
{
    public static PolicyBounds None { get; } = new(PolicyLimits.None, new TenantShare());

    public bool AdmitQueuePair(int has) =>
        !(has >= Own.QueuePairs) && (Tenant.Limits.QueuePairs is not { } most || Tenant.Sum(quota => quota.QueuePairs.Count) < most);

    public bool AdmitMemoryRegion(int has) =>
        !(has >= Own.MemoryRegions) && (Tenant.Limits.MemoryRegions is not { } most || Tenant.Sum(quota => quota.MemoryRegions.Count) < most);

    /// <param name="taken">The container's, with those asked for.</param>
    public bool AdmitRegisteredBytes(long taken) =>
        !(taken > Own.RegisteredBytes) && (Tenant.Limits.RegisteredBytes is not { } most || Tenant.Sum(quota => quota.RegisteredBytes.Taken) <= most);
}
