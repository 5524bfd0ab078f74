namespace Freeflow.Verbs.Handover.Pacing;

/// <summary>
/// Whose connections may send so much together: a container, or a tenant's containers on this host. Any thread may set the limit; the rest is
/// <see cref="ConnectionPacer"/>'s.
/// </summary>
public sealed class PacedGroup
{
    private const double LeastOfLimit = 0.25;

    private long _limit;
    private long _limitBefore;
    private double _owes;

    /// <summary>Bytes a second; 0: no limit.</summary>
    public long Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    /// <summary>Bytes a second that its connections have sent lately.</summary>
    internal double Used { get; set; }

    /// <summary>Of its tenant's limit.</summary>
    internal double Share { get; set; } = double.MaxValue;

    /// <summary>What there is to divide: less for a while when more was sent before, so that the limit holds in the middle.</summary>
    internal double Capacity(double seconds)
    {
        var limit = Limit;
        if (limit == 0)
            return double.MaxValue;
        if (limit != _limitBefore)
            (_limitBefore, _owes) = (limit, 0);
        else
            _owes = Math.Clamp(_owes + ((Used - limit) * seconds), 0, limit);
        return Math.Max(limit - _owes, limit * LeastOfLimit);
    }
}
