using Freeflow.Actors.Connections;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.Policy;

/// <summary>A container as the policy sees it: where its limits are written to, and by what it is known.</summary>
/// <param name="quota">Of its objects.</param>
/// <param name="handover">In TCP mode.</param>
public sealed class ContainerShare(ContainerQuota quota, HandoverContainer handover)
{
    public ContainerQuota Quota { get; } = quota;

    public HandoverContainer Handover { get; } = handover;

    /// <summary>As <see cref="AccessPolicy.TenantOf(ulong, IReadOnlyList{Gid})"/> tells.</summary>
    public string Tenant { get; private set; } = "";

    internal IReadOnlyList<Gid> Addresses { get; set; } = [];

    private TenantShare? Joined { get; set; }

    internal void Assign(AccessPolicy policy, Func<string, TenantShare> shareOf)
    {
        Tenant = policy.TenantOf(Handover.Tenant.Key, Addresses);
        var (own, tenant) = (policy.LimitsOf(Tenant, Addresses), shareOf(Tenant));
        if (tenant != Joined)
        {
            Leave();
            tenant.Add(this);
            Joined = tenant;
        }

        tenant.Set(policy.LimitsOf(Tenant));
        Quota.Bounds = new PolicyBounds(own, tenant);
        Quota.Rates.Own.Set(own.Bandwidth, own.MessagesPerSecond);
        Quota.Rates.Tenant = tenant.Rate;
        Handover.Limit(own.Bandwidth ?? 0, own.Connections, tenant.Limits.Connections is { } most ? () => most - tenant.Flows : null, tenant.Pacing);
    }

    internal void Leave()
    {
        Joined?.Remove(this);
        Joined = null;
    }
}
