namespace Freeflow.Verbs.Handover;

/// <summary>
/// What a container's connections to one destination have been like. When the last ones were all short, new ones are left
/// plain for a while: setting one up over the host's network costs more than it can gain. Then it is tried again.
/// </summary>
internal sealed class DestinationHistory
{
    private int _shortInARow;
    private long _plainUntil;
    private long _lastAdded;

    /// <summary>
    /// Takes connections into account, of which none had more bytes or took longer; true when the destination has just become one
    /// to leave plain. Times in milliseconds.
    /// </summary>
    public bool Add(int connections, long bytes, long milliseconds, HandoverOptions options, long now)
    {
        _lastAdded = now;
        if (bytes > options.ShortBytes || milliseconds > options.ShortTime.TotalMilliseconds)
        {
            _shortInARow = 0;
            return false;
        }

        _shortInARow = (int)Math.Min((long)_shortInARow + connections, options.ShortInARow);
        if (_shortInARow < options.ShortInARow || IsPlain(now))
            return false;
        _plainUntil = now + (long)options.ForgetAfter.TotalMilliseconds;
        return true;
    }

    public bool IsPlain(long now) => now < _plainUntil;

    /// <summary>Whether nothing has been heard of it for so long that it need not be kept.</summary>
    public bool IsIdle(HandoverOptions options, long now) => _plainUntil == 0 && now - _lastAdded > options.ForgetAfter.TotalMilliseconds;

    /// <summary>Whether the time of being plain is over; it has to be learnt anew then.</summary>
    public bool TryForget(long now)
    {
        if (_plainUntil == 0 || now < _plainUntil)
            return false;
        _plainUntil = 0;
        _shortInARow = 0;
        return true;
    }
}
