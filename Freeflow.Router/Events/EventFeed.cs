using Akka.Event;
using Freeflow.Actors.Events;

namespace Freeflow.Router.Events;

/// <summary>
/// The events of late, for operators: the last ones of each kind, so that what containers do often drives out nothing else. From any
/// thread; nobody who reads holds up whoever adds.
/// </summary>
public sealed class EventFeed
{
    /// <summary>Of each kind.</summary>
    public const int Kept = 256;

    /// <summary>Of each kind; what comes thicker is counted and not kept.</summary>
    public const int PerSecond = 100;

    public const int MaximumFollowers = 8;

    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<EventKind, OfAKind> _kinds = [];
    private readonly List<EventFollower> _followers = [];
    private long _last;

    /// <summary>The number of the newest event; 0 before the first.</summary>
    public long Last
    {
        get
        {
            lock (_lock)
                return _last;
        }
    }

    /// <summary>Takes up an event. Null when too many of its kind have come in this second.</summary>
    public RecordedEvent? Add(RouterEvent happened, DateTime now)
    {
        lock (_lock)
        {
            if (!_kinds.TryGetValue(happened.Kind, out var kind))
                _kinds.Add(happened.Kind, kind = new OfAKind());
            if (!kind.TryTake(now, out var unrecorded))
                return null;
            var recorded = new RecordedEvent(
                ++_last, now, (int)happened.Kind, EventKinds.NameOf(happened.Kind), SeverityOf(happened.Kind), happened.Text, happened.Facts, unrecorded);
            kind.Keep(recorded);
            foreach (var follower in _followers)
                follower.Offer(recorded);
            return recorded;
        }
    }

    /// <summary>The newest ones, at most <paramref name="limit"/>, of those after an event's number and not before a time; the oldest first.</summary>
    public IReadOnlyList<RecordedEvent> Newest(int limit, long after = 0, DateTime since = default)
    {
        lock (_lock)
        {
            var fitting = _kinds.Values.SelectMany(kind => kind.Events).Where(each => each.Number > after && each.Time >= since);
            return [.. fitting.OrderByDescending(each => each.Number).Take(limit).Reverse()];
        }
    }

    /// <summary>Null when there are too many followers. What happens from now on is told; disposing ends it.</summary>
    public EventFollower? Follow()
    {
        lock (_lock)
        {
            if (_followers.Count == MaximumFollowers)
                return null;
            var follower = new EventFollower(this, _last);
            _followers.Add(follower);
            return follower;
        }
    }

    internal void Forget(EventFollower follower)
    {
        lock (_lock)
            _followers.Remove(follower);
    }

    private static string SeverityOf(EventKind kind) => EventKinds.LevelOf(kind) switch
    {
        LogLevel.DebugLevel => "debug",
        LogLevel.WarningLevel => "warning",
        LogLevel.ErrorLevel => "error",
        _ => "info",
    };

    private sealed class OfAKind
    {
        private readonly Queue<RecordedEvent> _events = new();
        private DateTime _since;
        private int _inThisSecond;
        private int _unrecorded;

        public IEnumerable<RecordedEvent> Events => _events;

        public bool TryTake(DateTime now, out int unrecorded)
        {
            if (now - _since >= s_second || now < _since)
                (_since, _inThisSecond) = (now, 0);
            unrecorded = _unrecorded;
            if (++_inThisSecond > PerSecond)
            {
                _unrecorded++;
                return false;
            }

            _unrecorded = 0;
            return true;
        }

        public void Keep(RecordedEvent recorded)
        {
            if (_events.Count == Kept)
                _events.Dequeue();
            _events.Enqueue(recorded);
        }
    }
}
