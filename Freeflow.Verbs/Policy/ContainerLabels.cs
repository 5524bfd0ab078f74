using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Policy;

/// <summary>Who has which labels, as an operator's orchestrator says; never what a container says of itself. Immutable.</summary>
/// <param name="Addresses">Each address's labels, KEY=VALUE.</param>
public sealed record ContainerLabels(IReadOnlyDictionary<Gid, IReadOnlyList<string>> Addresses);
