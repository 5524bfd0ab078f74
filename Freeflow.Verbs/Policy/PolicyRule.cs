using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Policy;

/// <summary>Who may begin to talk to whom.</summary>
/// <param name="Name">As an operator is told of it.</param>
/// <param name="From">Any of them.</param>
/// <param name="To">Any of them.</param>
/// <param name="Ports">The listener's; none: every port.</param>
/// <param name="Mode">How.</param>
public sealed record PolicyRule(string Name, IReadOnlyList<PolicySubject> From, IReadOnlyList<PolicySubject> To, IReadOnlyList<PortSpan> Ports, PolicyMode Mode)
{
    internal bool Covers(int port)
    {
        if (port == AccessPolicy.AnyPort || Ports.Count == 0)
            return true;
        for (var i = 0; i < Ports.Count; i++)
        {
            if (port >= Ports[i].First && port <= Ports[i].Last)
                return true;
        }

        return false;
    }

    internal static bool Has(IReadOnlyList<PolicySubject> subjects, string tenant, bool isCommon, in Gid address)
    {
        for (var i = 0; i < subjects.Count; i++)
        {
            if (subjects[i].Is(tenant, isCommon, address))
                return true;
        }

        return false;
    }
}

public readonly record struct PortSpan(int First, int Last)
{
    public override string ToString() => First == Last ? $"{First}" : $"{First}-{Last}";
}

/// <summary>A tenant, a range of addresses, or (both null) anybody.</summary>
public sealed record PolicySubject(string? Tenant, AddressRange? Range)
{
    public static PolicySubject Anybody { get; } = new(null, null);

    public override string ToString() => Tenant ?? Range?.ToString() ?? "any";

    /// <param name="tenant">Whose the address is.</param>
    /// <param name="isCommon">Whether addresses mean there what they mean in the policy: not for a tenant with addresses of its own.</param>
    /// <param name="address">Which.</param>
    internal bool Is(string tenant, bool isCommon, in Gid address) =>
        Range is { } range ? isCommon && range.Contains(address) : Tenant is null || Tenant == tenant;
}
