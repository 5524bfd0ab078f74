namespace Freeflow.Router.Control;

/// <param name="Hangs">What of the router does not answer; null: it does its work.</param>
/// <param name="NotReady">Why it takes no part in its cluster; null: it does.</param>
public sealed record HealthAnswer(string? Hangs, string? NotReady);
