namespace Freeflow.Router.Draining;

/// <summary>A line of `freeflow drain`.</summary>
/// <param name="IsDraining">Whether the router takes nothing new.</param>
/// <param name="QueuePairs">QPs that would break if it ended now.</param>
/// <param name="Relays">TCP connections that it carries between a host socket and the overlay: they would be reset.</param>
/// <param name="Flows">Accelerated TCP connections begun here: they go on without the router.</param>
/// <param name="Seconds">Since the command.</param>
/// <param name="IsDone">Whether nothing is left that would break, or the draining was taken back.</param>
/// <param name="Leaves">Whether the router leaves its cluster and ends now.</param>
public sealed record DrainProgress(bool IsDraining, int QueuePairs, int Relays, int Flows, double Seconds, bool IsDone, bool Leaves);
