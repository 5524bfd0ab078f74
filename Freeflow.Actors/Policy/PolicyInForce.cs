using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.Policy;

/// <summary>
/// The policy that holds in this router, and the containers whose limits it sets. Read on any thread, without waiting;
/// <see cref="PolicyActor"/> alone changes it.
/// </summary>
public sealed class PolicyInForce(AccessPolicy first)
{
    private readonly Lock _assigning = new();
    private readonly HashSet<ContainerShare> _containers = [];
    private readonly Dictionary<string, TenantShare> _tenants = [];
    private volatile AccessPolicy _current = first;

    /// <summary>There is another one. Raised by the actor: a handler must only hand it on.</summary>
    public event Action<AccessPolicy>? Changed;

    public AccessPolicy Current => _current;

    public PolicyLoads Loads { get; } = new();

    /// <summary>A container is there, and has these addresses now.</summary>
    public void Settle(ContainerShare container, IReadOnlyList<Gid> addresses)
    {
        lock (_assigning)
        {
            container.Addresses = addresses;
            _containers.Add(container);
            container.Assign(_current, ShareOf);
        }
    }

    /// <summary>A container is gone.</summary>
    public void Forget(ContainerShare container)
    {
        lock (_assigning)
        {
            _containers.Remove(container);
            container.Leave();
        }
    }

    /// <summary>Puts one in force; the containers that are another tenant's now, with whose they were.</summary>
    internal IReadOnlyList<(ContainerShare Container, string Before)> Put(AccessPolicy policy)
    {
        var moved = new List<(ContainerShare, string)>();
        lock (_assigning)
        {
            _current = policy;
            foreach (var container in _containers)
            {
                var before = container.Tenant;
                container.Assign(policy, ShareOf);
                if (container.Tenant != before)
                    moved.Add((container, before));
            }
        }

        Changed?.Invoke(policy);
        return moved;
    }

    private TenantShare ShareOf(string tenant)
    {
        if (!_tenants.TryGetValue(tenant, out var share))
            _tenants.Add(tenant, share = new TenantShare());
        return share;
    }
}
