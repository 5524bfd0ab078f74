using System.Diagnostics;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// Waits a moment for applications that are likely to answer what they have just got: the engine does not fall asleep only
/// to be woken at once, and an acknowledgement leaves in one segment with the answer instead of ahead of it.
/// </summary>
internal sealed class AnswerWatch(EngineCore core)
{
    private static readonly long s_stayAwake = Stopwatch.Frequency / 250_000; // 4 µs

    // A shorter time would be a timer of its own in the kernel for each message, which costs more than it saves; this one
    // passes with the scheduler's tick. It is only for an application that breaks a firm habit.
    private static readonly long s_holdBack = Stopwatch.Frequency / 200; // 5 ms

    private readonly List<EngineQueuePair> _heldBack = [];
    private EngineQueuePair? _awaited;
    private long _awaitedUntil;

    /// <summary>When the first held back acknowledgement must go; <see cref="long.MaxValue"/> without one.</summary>
    public long NextDeadline { get; private set; } = long.MaxValue;

    /// <summary>A message is complete in the QP's application's memory.</summary>
    public void Delivered(EngineQueuePair qp) => Delivered(qp, qp.Peer == EngineQueuePair.SameRouter);

    /// <summary>The same of a QP whose sender its peer does not tell.</summary>
    public void Delivered(EngineQueuePair qp, bool isLocal)
    {
        qp.Acknowledging.Heard(core.Now);
        // Across hosts the kernel's network has more to do in that moment than the engine would win.
        if (!isLocal)
            return;
        qp.Attention.Heard(core.Now);
        if (!qp.Attention.ExpectsAnswer)
            return;
        _awaited = qp;
        _awaitedUntil = Stopwatch.GetTimestamp() + s_stayAwake;
    }

    /// <summary>The QP's application has rung.</summary>
    public void Rang(EngineQueuePair qp)
    {
        qp.Attention.Posted(core.Now);
        qp.Acknowledging.Posted(core.Now);
        if (_awaited == qp)
            _awaited = null;
    }

    /// <summary>Whether the engine should look once more before it sleeps.</summary>
    public bool StaysAwake()
    {
        if (_awaited is null)
            return false;
        if (_awaited.Attached && Stopwatch.GetTimestamp() < _awaitedUntil)
            return true;
        _awaited.Attention.WaitedInVain();
        _awaited = null;
        return false;
    }

    /// <summary>Holds a QP's acknowledgement back for its answer; false when it should go now.</summary>
    public bool TryHoldBack(EngineQueuePair qp)
    {
        if (!qp.Acknowledging.IsSureOfAnswer || qp.HeldBackUntil != 0)
            return false;
        qp.HeldBackUntil = core.Now + s_holdBack;
        _heldBack.Add(qp);
        NextDeadline = Math.Min(NextDeadline, qp.HeldBackUntil);
        return true;
    }

    /// <summary>Lets go what was held back for nothing, and forgets what has gone with an answer.</summary>
    public void Release()
    {
        if (_heldBack.Count == 0)
            return;
        NextDeadline = long.MaxValue;
        for (var i = _heldBack.Count - 1; i >= 0; i--)
        {
            var qp = _heldBack[i];
            if (qp.OwesAcknowledgement && core.Now < qp.HeldBackUntil)
            {
                NextDeadline = Math.Min(NextDeadline, qp.HeldBackUntil);
                continue;
            }

            if (qp.OwesAcknowledgement)
            {
                qp.Acknowledging.WaitedInVain();
                core.Enqueue(qp);
            }

            qp.HeldBackUntil = 0;
            _heldBack[i] = _heldBack[^1];
            _heldBack.RemoveAt(_heldBack.Count - 1);
        }
    }
}
