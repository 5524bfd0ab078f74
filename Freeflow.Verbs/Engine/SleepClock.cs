using System.Diagnostics;

namespace Freeflow.Verbs.Engine;

/// <summary>How long a thread has slept and been awake since it began. Written by that thread, read by any.</summary>
public sealed class SleepClock
{
    private readonly Lock _readers = new();
    private readonly long _began = Stopwatch.GetTimestamp();
    private long _slept;
    private long _asleepSince;
    private long _told;

    /// <summary>Never less than at another reading before.</summary>
    public TimeSpan Asleep
    {
        get
        {
            lock (_readers)
            {
                // In this order: a sleep that ends meanwhile is missed rather than counted twice.
                var slept = Volatile.Read(ref _slept);
                var since = Volatile.Read(ref _asleepSince);
                _told = Math.Max(_told, slept + (since == 0 ? 0 : Stopwatch.GetTimestamp() - since));
                return Stopwatch.GetElapsedTime(0, _told);
            }
        }
    }

    public TimeSpan Awake => Stopwatch.GetElapsedTime(_began) - Asleep;

    internal void FallAsleep() => Volatile.Write(ref _asleepSince, Stopwatch.GetTimestamp());

    /// <summary>Returns the time.</summary>
    internal long WakeUp()
    {
        var now = Stopwatch.GetTimestamp();
        var since = _asleepSince;
        Volatile.Write(ref _asleepSince, 0);
        Volatile.Write(ref _slept, _slept + now - since);
        return now;
    }
}
