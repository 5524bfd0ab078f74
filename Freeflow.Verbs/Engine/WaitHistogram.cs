using System.Diagnostics;
using System.Numerics;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// How long something has waited, counted in steps that double from about a microsecond to half a second. Written by one thread, read by
/// any.
/// </summary>
public sealed class WaitHistogram
{
    // 2^10 ns to 2^29 ns, and all above.
    private const int FirstBound = 10;
    private const int Bounds = 20;

    private readonly long[] _counts = new long[Bounds + 1];
    private long _nanoseconds;

    public static IReadOnlyList<double> UpperSeconds { get; } = [.. Enumerable.Range(FirstBound, Bounds).Select(bits => (1L << bits) / 1e9)];

    public double SumSeconds => Volatile.Read(ref _nanoseconds) / 1e9;

    /// <summary>Waits of at most each of <see cref="UpperSeconds"/>, and last all; never less than at another reading before.</summary>
    public IReadOnlyList<long> Cumulative()
    {
        var sums = new long[_counts.Length];
        for (var i = 0; i < sums.Length; i++)
            sums[i] = Volatile.Read(ref _counts[i]) + (i > 0 ? sums[i - 1] : 0);
        return sums;
    }

    internal void Add(long ticks)
    {
        var nanoseconds = Math.Max(0, ticks) * (1_000_000_000 / Stopwatch.Frequency);
        var step = BitOperations.Log2((ulong)Math.Max(1, nanoseconds - 1)) + 1 - FirstBound;
        _counts[Math.Clamp(step, 0, Bounds)]++;
        _nanoseconds += nanoseconds;
    }
}
