using System.Threading.Channels;

namespace Freeflow.Router.Events;

/// <summary>Somebody who is told of events as they happen. Who is too slow misses some, and is told how many; nobody waits for it.</summary>
public sealed class EventFollower : IDisposable
{
    /// <summary>Events that may wait for one follower.</summary>
    public const int MostWaiting = 512;

    private readonly EventFeed _feed;
    private readonly Channel<RecordedEvent> _waiting = Channel.CreateBounded<RecordedEvent>(MostWaiting);
    private long _last;

    internal EventFollower(EventFeed feed, long last) => (_feed, _last) = (feed, last);

    /// <summary>The next event, with how many were missed before it.</summary>
    public async ValueTask<(RecordedEvent Event, long Missed)> NextAsync(CancellationToken stop)
    {
        var next = await _waiting.Reader.ReadAsync(stop);
        var missed = next.Number - _last - 1;
        _last = next.Number;
        return (next, missed);
    }

    public void Dispose() => _feed.Forget(this);

    internal void Offer(RecordedEvent happened) => _waiting.Writer.TryWrite(happened);
}
