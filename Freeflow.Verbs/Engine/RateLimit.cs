using System.Diagnostics;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// How fast something may send: two token buckets, of bytes and of messages. The rates may be set by any thread at any time; the rest is
/// the engine's. What was sent beyond is a debt that is waited for, so that the rate holds on average whatever the sizes are.
/// </summary>
public sealed class RateLimit
{
    /// <summary>What may be saved up while nothing is sent: enough to make up for a thread that wakes late.</summary>
    private const double SavedSeconds = 0.02;
    private const double LeastSavedBytes = 1 << 16;

    /// <summary>What a turn may send ahead of its time: an engine that woke for every message would take the cores of those that post them.</summary>
    private const double AheadSeconds = 0.001;

    private long _bytesPerSecond;
    private long _messagesPerSecond;
    private double _bytes;
    private double _messages;
    private long _filledAt;

    /// <summary>0: no limit.</summary>
    public long BytesPerSecond => Volatile.Read(ref _bytesPerSecond);

    /// <summary>0: no limit.</summary>
    public long MessagesPerSecond => Volatile.Read(ref _messagesPerSecond);

    internal bool IsLimited => (BytesPerSecond | MessagesPerSecond) != 0;

    /// <summary>The engine has to be told (<see cref="VerbsEngine.SetPolicy"/>), or what waits by the rates before waits on.</summary>
    public void Set(long? bytesPerSecond, long? messagesPerSecond)
    {
        Volatile.Write(ref _bytesPerSecond, bytesPerSecond ?? 0);
        Volatile.Write(ref _messagesPerSecond, messagesPerSecond ?? 0);
    }

    /// <summary>When something more may be sent, in ticks of <see cref="Stopwatch"/>: not later than <paramref name="now"/> when it may be at once.</summary>
    internal long ReadyAt(long now)
    {
        Fill(now);
        return now + Math.Max(WaitFor(_bytes, BytesPerSecond), WaitFor(_messages, MessagesPerSecond));
    }

    /// <summary>Bytes that may be sent in a turn, between two bounds; after <see cref="ReadyAt"/>.</summary>
    internal int BytesFor(int least, int most) =>
        BytesPerSecond is var rate and not 0 ? (int)Math.Clamp(Math.Max(_bytes, rate * AheadSeconds), Math.Min(least, most), most) : most;

    internal int MessagesFor(int most) =>
        MessagesPerSecond is var rate and not 0 ? (int)Math.Clamp(Math.Max(_messages, rate * AheadSeconds), 1, most) : most;

    internal void Charge(long bytes, long messages)
    {
        if (BytesPerSecond != 0)
            _bytes -= bytes;
        if (MessagesPerSecond != 0)
            _messages -= messages;
    }

    private void Fill(long now)
    {
        var seconds = (double)(now - _filledAt) / Stopwatch.Frequency;
        _filledAt = now;
        Fill(ref _bytes, BytesPerSecond, seconds, LeastSavedBytes);
        Fill(ref _messages, MessagesPerSecond, seconds, 1);
    }

    private static void Fill(ref double tokens, long rate, double seconds, double leastSaved) =>
        tokens = rate == 0 ? 0 : Math.Min(tokens + (rate * seconds), Math.Max(rate * SavedSeconds, leastSaved));

    /// <summary>Ticks until a debt is paid; one more than that, so that it is then.</summary>
    private static long WaitFor(double tokens, long rate) => rate == 0 || tokens > 0 ? 0 : (long)(-tokens / rate * Stopwatch.Frequency) + 1;
}
