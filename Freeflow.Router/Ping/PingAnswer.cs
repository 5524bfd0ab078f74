namespace Freeflow.Router.Ping;

/// <summary>A line of `freeflow ping`.</summary>
/// <param name="Router">Where the round trip went.</param>
/// <param name="Sequence">From 1.</param>
/// <param name="Microseconds">There and back; null when no answer came in time.</param>
/// <param name="Problem">Why there was none.</param>
public sealed record PingAnswer(string Router, int Sequence, double? Microseconds, string? Problem);
