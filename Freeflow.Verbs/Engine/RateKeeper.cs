namespace Freeflow.Verbs.Engine;

/// <summary>
/// The QPs that wait because their container, or its tenant, has sent as much as it may. They wait in turn; nobody else is held up, and
/// what they owe their peers (acknowledgements) does not wait, so that no timeout runs out for it.
/// </summary>
internal sealed class RateKeeper(EngineCore core)
{
    /// <summary>In a turn, however little may be sent: smaller pieces of a long message would cost more than they smooth.</summary>
    private const int LeastBytes = 1 << 14;

    private readonly List<EngineQueuePair> _held = new(256);

    /// <summary>When the first of them may go on, in Stopwatch ticks; <see cref="long.MaxValue"/> without one.</summary>
    public long Next { get; private set; } = long.MaxValue;

    /// <summary>Whether a QP may send now, and how much; else it is held until it may.</summary>
    public bool TryTakeTurn(EngineQueuePair queuePair, int operations, int bytes, out WorkBudget budget)
    {
        var rates = queuePair.Connection.Rates;
        var (own, tenant) = (rates.Own, rates.Tenant);
        var ready = Math.Max(own.ReadyAt(core.Now), tenant.ReadyAt(core.Now));
        if (ready > core.Now)
        {
            budget = default;
            Hold(queuePair, ready);
            return false;
        }

        budget = new WorkBudget(
            tenant.MessagesFor(own.MessagesFor(operations)), tenant.BytesFor(LeastBytes, own.BytesFor(LeastBytes, bytes)));
        return true;
    }

    public static void Charge(EngineQueuePair queuePair, long bytes, long messages)
    {
        queuePair.Connection.Rates.Own.Charge(bytes, messages);
        queuePair.Connection.Rates.Tenant.Charge(bytes, messages);
    }

    /// <summary>Has those run that may again, in the order in which they have begun to wait.</summary>
    public void Release()
    {
        if (core.Now < Next)
            return;
        Next = long.MaxValue;
        var kept = 0;
        for (var i = 0; i < _held.Count; i++)
        {
            var queuePair = _held[i];
            var rates = queuePair.Connection.Rates;
            var ready = Math.Max(rates.Own.ReadyAt(core.Now), rates.Tenant.ReadyAt(core.Now));
            if (queuePair.Attached && ready > core.Now)
            {
                Next = Math.Min(Next, ready);
                _held[kept++] = queuePair;
                continue;
            }

            queuePair.HeldByRate = false;
            core.Enqueue(queuePair);
        }

        _held.RemoveRange(kept, _held.Count - kept);
    }

    /// <summary>The rates are others now.</summary>
    public void LookAgain() => Next = _held.Count > 0 ? 0 : long.MaxValue;

    private void Hold(EngineQueuePair queuePair, long until)
    {
        Next = Math.Min(Next, until);
        if (queuePair.HeldByRate)
            return;
        queuePair.HeldByRate = true;
        _held.Add(queuePair);
    }
}
