using System.Diagnostics;
using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>Why a QP waits.</summary>
internal enum RetryReason : byte
{
    None,

    /// <summary>The peer has no receive posted; send again at the deadline.</summary>
    ReceiverNotReady,

    /// <summary>The peer could not take the message; send again at the deadline.</summary>
    NoAnswer,

    /// <summary>Messages are under way; at the deadline see whether the peer still lives.</summary>
    AwaitingAnswer,

    /// <summary>Nothing is under way, and there is no link to the peer's router; at the deadline the peer is given up.</summary>
    LinkDown,

    /// <summary>Of an unreliable QP: the way to the peer takes nothing more; at the deadline it counts as cut.</summary>
    AwaitingRoom,

    /// <summary>In the error state: work posted without a doorbell is flushed at the deadline.</summary>
    Flushing,
}

/// <summary>A QP's one timer.</summary>
internal struct RetryTimer
{
    public RetryReason Reason;
    public long Deadline;
    public int Attempts;
    public int RnrAttempts;
    public bool Listed;

    /// <summary>Whether nothing may be sent until the deadline.</summary>
    public readonly bool HoldsBack => Reason is RetryReason.ReceiverNotReady or RetryReason.NoAnswer;
}

/// <summary>The timers of all QPs that wait for something. In ticks of <see cref="Stopwatch"/>.</summary>
internal sealed class RetryClock
{
    // Table 45 of the InfiniBand specification, in units of 10 µs.
    private static readonly int[] s_rnrTimers =
    [
        65536, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192,
        256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 49152,
    ];

    /// <summary>Doublings of an RNR wait; no less than the retries that can be counted.</summary>
    public const int LongestRnrBackoff = 6;

    private readonly List<EngineQueuePair> _waiting = [];
    private long _next = long.MaxValue;

    public int Count => _waiting.Count;

    /// <summary>
    /// Ticks of an RNR timer code, the least that a sender waits. One that has waited in vain before waits longer, up to 640 µs: with
    /// a timer of 10 µs and retries without end the engine would do nothing but look for receives, ahead of all other threads.
    /// </summary>
    public static long RnrTicks(byte code, int attempts) =>
        Math.Max(s_rnrTimers[code & 31], 1 << Math.Clamp(attempts, 0, LongestRnrBackoff)) * (Stopwatch.Frequency / 100_000);

    /// <summary>
    /// Ticks without an answer after which a retry counts: four times the QP's 4.096 µs × 2^timeout, the most that the
    /// specification allows (C9-141), since a software NIC shares its cores. <see cref="long.MaxValue"/> for timeout 0.
    /// </summary>
    public static long AnswerTicks(byte timeout) =>
        timeout == 0 ? long.MaxValue : (long)(4 * 4.096e-6 * (1L << (timeout & 31)) * Stopwatch.Frequency);

    /// <summary>
    /// Ticks without a link after which a QP that sends nothing gives its peer up: its whole retry time, or two seconds for
    /// one that only receives and so has none. <see cref="long.MaxValue"/> for timeout 0.
    /// </summary>
    public static long LinkDownTicks(EngineQueuePair queuePair)
    {
        if (queuePair.State == QueuePairState.ReadyToReceive)
            return 2 * Stopwatch.Frequency;
        var wait = AnswerTicks(queuePair.Timeout);
        return wait == long.MaxValue ? wait : Math.Max(Stopwatch.Frequency, wait * (queuePair.RetryCount + 1));
    }

    public void Set(EngineQueuePair queuePair, RetryReason reason, long deadline)
    {
        ref var timer = ref queuePair.Timer;
        timer.Reason = reason;
        timer.Deadline = deadline;
        if (!timer.Listed)
        {
            timer.Listed = true;
            _waiting.Add(queuePair);
        }

        _next = Math.Min(_next, deadline);
    }

    /// <summary>The next deadline; <see cref="long.MaxValue"/> without one.</summary>
    public long Next => _next;

    /// <summary>Calls <paramref name="expired"/> for every QP whose deadline has passed; it may set the timer anew.</summary>
    public void Expire(long now, Action<EngineQueuePair, RetryReason> expired)
    {
        if (now < _next)
            return;
        _next = long.MaxValue;
        for (var i = _waiting.Count - 1; i >= 0; i--)
        {
            var queuePair = _waiting[i];
            ref var timer = ref queuePair.Timer;
            if (queuePair.Attached && timer.Reason != RetryReason.None && timer.Deadline <= now)
            {
                var reason = timer.Reason;
                timer.Reason = RetryReason.None;
                expired(queuePair, reason);
            }

            if (queuePair.Attached && timer.Reason != RetryReason.None)
            {
                _next = Math.Min(_next, timer.Deadline);
                continue;
            }

            timer.Listed = false;
            _waiting[i] = _waiting[^1];
            _waiting.RemoveAt(_waiting.Count - 1);
        }
    }
}
