using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Policy;

/// <summary>It has the labels of more than one tenant.</summary>
/// <param name="Address">A container's.</param>
/// <param name="Tenant">The policy's first one, whose it is.</param>
/// <param name="Other">The next.</param>
public readonly record struct AmbiguousAddress(Gid Address, string Tenant, string Other);
