using Freeflow.Actors.Inspection;

namespace Freeflow.Router.Control;

/// <summary>What `freeflow qps` shows.</summary>
/// <param name="QueuePairs">The first ones, by QPN.</param>
/// <param name="Total">How many there are.</param>
/// <param name="Silent">How many parts of the router have not said theirs in time.</param>
public sealed record QueuePairsAnswer(IReadOnlyList<QueuePairAnswer> QueuePairs, int Total, int Silent);

/// <param name="QueuePair">The QP.</param>
/// <param name="Tenant">Its container's.</param>
/// <param name="Address">Its container's first address.</param>
public sealed record QueuePairAnswer(QueuePairSeen QueuePair, string Tenant, string Address);
