using System.Globalization;
using System.Runtime.CompilerServices;
using Freeflow.Router.Control;

namespace Freeflow.Router.Events;

/// <summary>What `freeflow events` shows.</summary>
/// <param name="Events">The oldest first.</param>
/// <param name="Last">The number of the newest event that there is.</param>
public sealed record EventsAnswer(IReadOnlyList<RecordedEvent> Events, long Last);

/// <summary>A line of `freeflow events --follow`.</summary>
/// <param name="Event">The event.</param>
/// <param name="Missed">Events before it that this follower was too slow for.</param>
public sealed record FollowedEvent(RecordedEvent Event, long Missed);

/// <summary>Answers from the feed: what there is, and with Follow = true what comes, too.</summary>
internal static class EventAnswers
{
    public static object Of(EventFeed feed, ControlRequest request, int limit)
    {
        var since = Since(request);
        if (request.Text("Follow") != "true")
            return new EventsAnswer(feed.Newest(limit, since: since), feed.Last);
        var follower = feed.Follow() ?? throw new ControlException($"{EventFeed.MaximumFollowers} others follow the events already");
        return new ControlStream(FollowAsync(feed, follower, limit, since));
    }

    private static DateTime Since(ControlRequest request) => request.Text("Since") is not { } text ? default
        : DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var time) ? time
        : throw new ControlException("\"Since\" has to be a time in UTC, 2026-01-31T12:00:00Z");

    private static async IAsyncEnumerable<object> FollowAsync(
        EventFeed feed, EventFollower follower, int limit, DateTime since, [EnumeratorCancellation] CancellationToken stop = default)
    {
        using (follower)
        {
            // It follows already, so that none falls between the two.
            long last = 0;
            foreach (var known in feed.Newest(limit, since: since))
            {
                last = known.Number;
                yield return new FollowedEvent(known, 0);
            }

            while (true)
            {
                var (next, missed) = await follower.NextAsync(stop);
                if (next.Number > last)
                    yield return new FollowedEvent(next, missed);
            }
        }
    }
}
