using Freeflow.Actors.Events;
using Freeflow.Lab;
using Freeflow.Router.Commands;
using Freeflow.Router.Events;

namespace Freeflow.Router.Tests.Events;

public sealed class EventsAreKept
{
    private static readonly DateTime s_start = new(2026, 1, 31, 12, 0, 0, DateTimeKind.Utc);

    private readonly EventFeed _feed = new();

    [Fact]
    public void InTheirOrderWithTheirNumbers()
    {
        Add(EventKind.MemberUp, 0);
        Add(EventKind.LinkUp, 1);
        Add(EventKind.LinkDown, 2);
        Assert.Equal([(1L, 100, "member-up", "info"), (2L, 110, "link-up", "info"), (3L, 111, "link-down", "warning")],
            _feed.Newest(10).Select(each => (each.Number, each.Id, each.Name, each.Severity)));
        Assert.Equal(["link-up", "link-down"], _feed.Newest(2).Select(each => each.Name));
        Assert.Equal(["link-down"], _feed.Newest(10, after: 2).Select(each => each.Name));
        Assert.Equal(["link-up", "link-down"], _feed.Newest(10, since: s_start.AddSeconds(1)).Select(each => each.Name));
        Assert.Equal(3, _feed.Last);
    }

    [Fact]
    public void WhatHappensOftenDrivesOutNothingElse()
    {
        Add(EventKind.MemberRemoved, 0);
        for (var second = 0; second < 100; second++)
        {
            for (var i = 0; i < EventFeed.PerSecond; i++)
                Add(EventKind.DeviceOpened, second);
        }

        var kept = _feed.Newest(int.MaxValue);
        Assert.Equal("member-removed", kept[0].Name);
        Assert.Equal(EventFeed.Kept + 1, kept.Count);
    }

    [Fact]
    public void WhatComesTooThickIsCounted()
    {
        for (var i = 0; i < EventFeed.PerSecond + 17; i++)
            Add(EventKind.QueuePairError, 0);
        Assert.Equal(EventFeed.PerSecond, _feed.Newest(int.MaxValue).Count);
        Assert.Equal(17, Add(EventKind.QueuePairError, 1)!.Unrecorded);
        Assert.Equal(0, Add(EventKind.QueuePairError, 1)!.Unrecorded);
        Assert.NotNull(Add(EventKind.QueuePairError, -3600));
    }

    [Fact]
    public async Task AFollowerIsToldEachAndASlowOneHowManyItHasMissed()
    {
        using var follower = _feed.Follow()!;
        Add(EventKind.LinkUp, 0);
        Assert.Equal(("link-up", 0L), await NextAsync(follower));
        for (var i = 0; i < EventFollower.MostWaiting + 5; i++)
            Add(EventKind.LinkDown, i);
        for (var i = 0; i < EventFollower.MostWaiting; i++)
            Assert.Equal(("link-down", 0L), await NextAsync(follower));
        Add(EventKind.LinkUp, 0);
        Assert.Equal(("link-up", 5L), await NextAsync(follower));
    }

    [Fact]
    public void ThereAreNoMoreFollowersThanAllowed()
    {
        var followers = Enumerable.Range(0, EventFeed.MaximumFollowers).Select(_ => _feed.Follow()!).ToList();
        Assert.Null(_feed.Follow());
        followers[0].Dispose();
        Assert.NotNull(_feed.Follow());
    }

    /// <summary>An id that is taken for another kind, or a kind that is not documented, misleads whoever has written an alert.</summary>
    [Fact]
    public void EachKindIsDocumented()
    {
        var documented = File.ReadAllLines(Path.Combine(Repository.Root, "docs/events.md"))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Where(cells => cells.Length > 4 && int.TryParse(cells[1], out _))
            .Select(cells => (int.Parse(cells[1]), cells[2].Trim('`'), cells[3]));
        Assert.Equal(Enum.GetValues<EventKind>().Select(kind => ((int)kind, EventKinds.NameOf(kind), SeverityOf(kind))), documented);
    }

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("1.5m", 90)]
    [InlineData("2h", 7200)]
    [InlineData("1d", 86400)]
    [InlineData("2026-01-31T11:59:00Z", 60)]
    [InlineData("2026-01-31T12:59:00+01:00", 60)]
    public void TimesAreUnderstood(string text, double secondsAgo) =>
        Assert.Equal(s_start.AddSeconds(-secondsAgo), EventsCommand.TimeOf(text, s_start));

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("99999999999999d")]
    [InlineData("soon")]
    public void OthersAreNot(string text) => Assert.Null(EventsCommand.TimeOf(text, s_start));

    [Fact]
    public void WhatContainersHaveNamedIsShownAndNotObeyed()
    {
        var output = new StringWriter();
        EventsCommand.Write(_feed.Add(new RouterEvent(EventKind.ContainerSeen, "eth\u001b[31m\n0", new Dictionary<string, string>()), s_start)!, output);
        Assert.Equal($@"2026-01-31T12:00:00.000Z  info     container-seen  eth\x1b[31m\x0a0{output.NewLine}", output.ToString());
    }

    private RecordedEvent? Add(EventKind kind, int second) => _feed.Add(new RouterEvent(kind, "text", new Dictionary<string, string>()), s_start.AddSeconds(second));

    private static string SeverityOf(EventKind kind) =>
        new EventFeed().Add(new RouterEvent(kind, "", new Dictionary<string, string>()), s_start)!.Severity;

    private static async Task<(string Name, long Missed)> NextAsync(EventFollower follower)
    {
        using var bound = new CancellationTokenSource(WaitFor.Scaled(TimeSpan.FromSeconds(30)));
        var (next, missed) = await follower.NextAsync(bound.Token);
        return (next.Name, missed);
    }
}
