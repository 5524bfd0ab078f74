namespace Freeflow.Router.Perf;

/// <summary>A line of `freeflow perf`: how far it has come, and at last the result.</summary>
/// <param name="From">The router that writes.</param>
/// <param name="To">The router that is written to.</param>
/// <param name="Seconds">Of the transfer, so far.</param>
/// <param name="Bytes">Written and acknowledged, so far.</param>
/// <param name="BytesPerSecond">Of the whole time so far.</param>
/// <param name="MessagesPerSecond">The same.</param>
/// <param name="MedianMicroseconds">From posting a WRITE of two bytes to its completion, one at a time.</param>
/// <param name="P99Microseconds">99 of 100 were not longer.</param>
/// <param name="IsDone">Whether this is the result.</param>
public sealed record PerfAnswer(
    string From, string To, double Seconds, long Bytes, double BytesPerSecond, double MessagesPerSecond, double MedianMicroseconds, double P99Microseconds, bool IsDone);
