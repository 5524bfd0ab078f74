using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Policy;

/// <summary>Whose addresses are by their labels: the first tenant's, in the policy's order, whose labels an address has all. Immutable.</summary>
internal sealed class LabelledTenants
{
    private readonly Dictionary<Gid, PolicyTenant> _tenants = [];
    private readonly List<AmbiguousAddress> _ambiguous = [];

    public LabelledTenants(IReadOnlyList<PolicyTenant> tenants, ContainerLabels? labels)
    {
        var labelled = tenants.Where(tenant => tenant.Labels.Count > 0).ToArray();
        if (labels is null || labelled.Length == 0)
            return;
        foreach (var (address, its) in labels.Addresses)
        {
            foreach (var tenant in labelled)
            {
                if (!tenant.Labels.All(its.Contains) || _tenants.TryAdd(address, tenant))
                    continue;
                _ambiguous.Add(new AmbiguousAddress(address, _tenants[address].Name, tenant.Name));
                break;
            }
        }
    }

    public IReadOnlyList<AmbiguousAddress> Ambiguous => _ambiguous;

    /// <summary>Null: no tenant's. Any thread, without allocating.</summary>
    public PolicyTenant? Find(in Gid address) => _tenants.GetValueOrDefault(address);

    public int CountOf(PolicyTenant tenant) => _tenants.Values.Count(its => ReferenceEquals(its, tenant));
}
