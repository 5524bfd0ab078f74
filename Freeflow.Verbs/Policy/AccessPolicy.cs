using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Policy;

/// <summary>
/// Who may talk to whom, and how much of everything they may have. Immutable; asked on any thread, without waiting and without
/// allocating. A tenant that a bridge tells has addresses of its own, and nobody else is there; among all others
/// the ranges of the policy tell, and then labels.
/// </summary>
public sealed class AccessPolicy : IHandoverPolicy
{
    /// <summary>Where a port is not known: a rule for any port will do.</summary>
    public const int AnyPort = -1;

    /// <summary>Told by a bridge, and not in the policy: they are among themselves.</summary>
    private static readonly PolicyTenant s_bridged = PolicyTenant.Named("(by bridge)");

    private readonly PolicyTenant[] _tenants;
    private readonly PolicyTenant _default;
    private readonly LabelledTenants _labelled;
    private readonly PolicyRule[] _rules;
    private readonly PolicyContainer[] _containers;

    public AccessPolicy(
        IReadOnlyList<PolicyTenant> tenants, IReadOnlyList<PolicyRule> rules, IReadOnlyList<PolicyContainer> containers, PolicyLimits containerLimits,
        ContainerLabels? labels = null)
    {
        (_rules, _containers, ContainerLimits) = ([.. rules], [.. containers], containerLimits);
        _default = tenants.FirstOrDefault(tenant => tenant.Name == PolicyTenant.DefaultName) ?? PolicyTenant.Named(PolicyTenant.DefaultName);
        _tenants = [.. tenants];
        _labelled = new LabelledTenants(_tenants, labels);
        IsOpen = rules.Count == 0 && tenants.All(tenant => tenant.AllowsWithin && tenant is { Ranges.Count: 0, Labels.Count: 0 });
    }

    /// <summary>Without a policy: all within a tenant, and no limits.</summary>
    public static AccessPolicy Open { get; } = new([], [], [], PolicyLimits.None);

    /// <summary>Whether it forbids nothing.</summary>
    public bool IsOpen { get; }

    /// <summary>Whether tenants are told by labels, too.</summary>
    public bool HasLabels => Array.Exists(_tenants, tenant => tenant.Labels.Count > 0);

    /// <summary>Those that have the labels of more than one tenant.</summary>
    public IReadOnlyList<AmbiguousAddress> Ambiguous => _labelled.Ambiguous;

    /// <summary>Whether somebody may not send as fast as he can.</summary>
    public bool LimitsBandwidth =>
        ContainerLimits.Bandwidth is not null
        || _containers.Any(entry => entry.Limits.Bandwidth is not null)
        || _tenants.Any(tenant => (tenant.Limits.Bandwidth ?? tenant.ContainerLimits.Bandwidth) is not null);

    public IReadOnlyList<PolicyTenant> Tenants => _tenants;

    public IReadOnlyList<PolicyRule> Rules => _rules;

    public IReadOnlyList<PolicyContainer> Containers => _containers;

    /// <summary>For each container, where nothing else is said.</summary>
    public PolicyLimits ContainerLimits { get; }

    /// <param name="space">The tenant that a bridge tells (<see cref="Tenant.Key"/>).</param>
    /// <param name="address">Of a container.</param>
    public string TenantOf(ulong space, in Gid address) => Find(space, address).Name;

    /// <summary>Whose a container is: it belongs with all its addresses to whom one of them belongs, the first that is in a range.</summary>
    public string TenantOf(ulong space, IReadOnlyList<Gid> addresses) => Find(space, addresses).Name;

    /// <summary>How many addresses are a tenant's by their labels.</summary>
    public int CountLabelled(PolicyTenant tenant) => _labelled.CountOf(tenant);

    /// <summary>May somebody begin to talk to a port?</summary>
    public PolicyDecision Decide(ulong space, in Gid from, in Gid to, int port, PolicyMode mode)
    {
        var (one, other) = (Find(space, from), Find(space, to));
        var allowed = Allows(space, one, from, other, to, port, mode, out var rule);
        return Describe(allowed, rule, one, other);
    }

    /// <summary>May two talk by RDMA? QPs have no direction: whoever may begin, the other may answer.</summary>
    public PolicyDecision DecidePair(ulong space, in Gid one, in Gid other)
    {
        var forth = Decide(space, one, other, AnyPort, PolicyMode.Rdma);
        if (forth.Allowed)
            return forth;
        var back = Decide(space, other, one, AnyPort, PolicyMode.Rdma);
        return back.Allowed ? back : forth;
    }

    /// <summary>The same for a container of this host, whose addresses are all known.</summary>
    public bool AllowsPair(EnginePort port, in Gid local, in Gid remote)
    {
        if (IsOpen)
            return true;
        var (one, other) = (Find(port.Tenant, port.Gids), Find(port.Tenant, remote));
        return Allows(port.Tenant, one, local, other, remote, AnyPort, PolicyMode.Rdma, out _)
            || Allows(port.Tenant, other, remote, one, local, AnyPort, PolicyMode.Rdma, out _);
    }

    public bool Allows(ulong fromTenant, Ipv4 from, ulong toTenant, Ipv4 to, ushort port)
    {
        if (fromTenant != toTenant)
            return false;
        if (IsOpen)
            return true;
        Gid source = Gid.FromIpv4(from), destination = Gid.FromIpv4(to);
        return Allows(fromTenant, Find(fromTenant, source), source, Find(fromTenant, destination), destination, port, PolicyMode.Tcp, out _);
    }

    /// <summary>What a container of a tenant may have.</summary>
    public PolicyLimits LimitsOf(string tenant, IReadOnlyList<Gid> addresses)
    {
        var its = Array.Find(_tenants, candidate => candidate.Name == tenant)?.ContainerLimits ?? PolicyLimits.None;
        var own = Array.Find(_containers, entry => entry.Ranges.Any(range => addresses.Any(address => range.Contains(address))))?.Limits ?? PolicyLimits.None;
        return own.Over(its).Over(ContainerLimits);
    }

    /// <summary>What a tenant's containers on this host may have together.</summary>
    public PolicyLimits LimitsOf(string tenant) => Array.Find(_tenants, candidate => candidate.Name == tenant)?.Limits ?? PolicyLimits.None;

    private static PolicyDecision Describe(bool allowed, PolicyRule? rule, PolicyTenant from, PolicyTenant to) =>
        rule is not null ? new PolicyDecision(true, $"rule {rule.Name}")
        : allowed ? new PolicyDecision(true, $"within tenant {from.Name}")
        : ReferenceEquals(from, to) ? new PolicyDecision(false, $"no rule allows it, and tenant {from.Name} has allow-within = false")
        : new PolicyDecision(false, $"no rule allows it from tenant {from.Name} to tenant {to.Name}");

    private bool Allows(
        ulong space, PolicyTenant fromTenant, in Gid from, PolicyTenant toTenant, in Gid to, int port, PolicyMode mode, out PolicyRule? by)
    {
        by = null;
        if (ReferenceEquals(fromTenant, toTenant) && fromTenant.AllowsWithin)
            return true;
        var isCommon = space == Tenant.Default.Key;
        foreach (var rule in _rules)
        {
            if ((rule.Mode & mode) == 0 || !rule.Covers(port)
                || !PolicyRule.Has(rule.From, fromTenant.Name, isCommon, from) || !PolicyRule.Has(rule.To, toTenant.Name, isCommon, to))
                continue;
            by = rule;
            return true;
        }

        return false;
    }

    private PolicyTenant Find(ulong space, IReadOnlyList<Gid> addresses)
    {
        if (space == Tenant.Default.Key)
        {
            for (var i = 0; i < addresses.Count; i++)
            {
                if (Find(space, addresses[i]) is var tenant && !ReferenceEquals(tenant, _default))
                    return tenant;
            }

            return _default;
        }

        return Find(space, default(Gid));
    }

    private PolicyTenant Find(ulong space, in Gid address)
    {
        if (space == Tenant.Default.Key)
        {
            foreach (var tenant in _tenants)
            {
                for (var i = 0; i < tenant.Ranges.Count; i++)
                {
                    if (tenant.Ranges[i].Contains(address))
                        return tenant;
                }
            }

            return _labelled.Find(address) ?? _default;
        }

        foreach (var tenant in _tenants)
        {
            if (tenant.Key == space)
                return tenant;
        }

        return s_bridged;
    }
}
