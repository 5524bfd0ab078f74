using System.Text.Json;
using Freeflow.Lab;
using Freeflow.Router.Dashboard.Live;

namespace Freeflow.Router.Tests.Dashboard;

public sealed class PagesAreToldWhatChanges : IAsyncLifetime
{
    private static readonly TimeSpan s_bound = WaitFor.Scaled(TimeSpan.FromSeconds(60));

    private readonly ModelSource _source = new();
    private LiveFeed _feed = null!;

    private sealed record Row(int Value);

    private sealed class Broken
    {
        public int Value => throw new InvalidOperationException("a test's");
    }

    public Task InitializeAsync()
    {
        _feed = new LiveFeed(_source, TimeSpan.FromMilliseconds(20));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _feed.DisposeAsync();

    [Fact]
    public async Task FirstAllThenWhatIsOther()
    {
        _source.Show(Rows("qps", ("a", 1), ("b", 2)));
        using var viewer = _feed.TryAdd(withActors: false)!;
        var first = await NextAsync(viewer);
        Assert.Equal("model", first.GetProperty("Router").GetProperty("Name").GetString());
        Assert.Equal("""{"All":true,"Total":2,"Problem":null,"Rows":{"a":{"Value":1},"b":{"Value":2}},"Gone":[]}""", Table(first, "qps"));

        _source.Show(Rows("qps", ("b", 3), ("c", 4)));
        Assert.Equal("""{"All":false,"Total":2,"Problem":null,"Rows":{"b":{"Value":3},"c":{"Value":4}},"Gone":["a"]}""", Table(await NextWithTablesAsync(viewer), "qps"));

        _source.Show(Rows("qps", ("b", 3)));
        Assert.Equal("""{"All":false,"Total":1,"Problem":null,"Rows":{},"Gone":["c"]}""", Table(await NextWithTablesAsync(viewer), "qps"));
    }

    [Fact]
    public async Task WhatHasNoAnswerStaysAsItWas()
    {
        _source.Show(Rows("qps", ("a", 1)));
        using var viewer = _feed.TryAdd(withActors: false)!;
        await NextAsync(viewer);
        _source.Show(new Section("qps", null, 0, "no answer within 5 s"));
        Assert.Equal("""{"All":false,"Total":1,"Problem":"no answer within 5 s","Rows":{},"Gone":[]}""", Table(await NextWithTablesAsync(viewer), "qps"));
        _source.Show(Rows("qps", ("a", 1)));
        Assert.Equal("""{"All":false,"Total":1,"Problem":null,"Rows":{},"Gone":[]}""", Table(await NextWithTablesAsync(viewer), "qps"));
    }

    [Fact]
    public async Task ADefectEndsWhatThePagesHaveAndNotTheFeed()
    {
        _source.Show(new Section("qps", [("a", new Broken())], 1));
        using (var viewer = _feed.TryAdd(withActors: false)!)
            Assert.False(await viewer.Messages.WaitToReadAsync().AsTask().WaitAsync(s_bound));
        _source.Show(Rows("qps", ("a", 1)));
        using var next = _feed.TryAdd(withActors: false)!;
        Assert.Contains("\"All\":true", Table(await NextAsync(next), "qps"));
    }

    [Fact]
    public async Task RowsOfOneNameAreAllThere()
    {
        _source.Show(Rows("members", ("a", 1), ("a", 2), ("a", 3)));
        using var viewer = _feed.TryAdd(withActors: false)!;
        Assert.Contains("""{"a":{"Value":1},"a #2":{"Value":2},"a #3":{"Value":3}}""", Table(await NextAsync(viewer), "members"));
    }

    [Fact]
    public async Task ActorsAreForThoseWhoLookAtThem()
    {
        _source.Show(Rows("actors", ("a", 1)), Rows("qps", ("b", 2)));
        using var without = _feed.TryAdd(withActors: false)!;
        Assert.False((await NextAsync(without)).GetProperty("Tables").TryGetProperty("actors", out _));
        using var with = _feed.TryAdd(withActors: true)!;
        Assert.Contains("\"a\"", Table(await NextAsync(with), "actors"));
        _source.Show(Rows("actors", ("a", 5)), Rows("qps", ("b", 6)));
        Assert.False((await NextWithTablesAsync(without)).GetProperty("Tables").TryGetProperty("actors", out _));
    }

    [Fact]
    public async Task WhoDoesNotReadGetsEverythingAgain()
    {
        _source.Show(Rows("qps", ("a", 0)));
        using var slow = _feed.TryAdd(withActors: false)!;
        using var other = _feed.TryAdd(withActors: false)!;
        for (var value = 1; value <= 20; value++)
        {
            _source.Show(Rows("qps", ("a", value)));
            while (!Table(await NextWithTablesAsync(other), "qps").Contains($"{{\"Value\":{value}}}", StringComparison.Ordinal))
            {
            }
        }

        // It has room for a few; then everything follows.
        var all = 0;
        while (all < 2)
            all += Table(await NextWithTablesAsync(slow), "qps").Contains("\"All\":true", StringComparison.Ordinal) ? 1 : 0;
    }

    [Fact]
    public async Task NobodyLooksForNobody()
    {
        // Each round begins with the totals.
        await WaitFor.ThatAsync("five rounds", () => _source.Rounds > 5);
        Assert.Equal(0, _source.Looks);
        var viewers = Enumerable.Range(0, LiveFeed.MostViewers).Select(_ => _feed.TryAdd(withActors: true)!).ToList();
        Assert.Null(_feed.TryAdd(withActors: false));
        foreach (var viewer in viewers)
            await NextAsync(viewer);

        // Once for all of them, and once more for those that came a moment later.
        Assert.InRange(_source.Looks, 1, 16);
        viewers[0].Dispose();
        using (var next = _feed.TryAdd(withActors: false))
            Assert.NotNull(next);
        viewers.ForEach(viewer => viewer.Dispose());
    }

    [Fact]
    public async Task TheRoutersEndIsTheirs()
    {
        using var viewer = _feed.TryAdd(withActors: false)!;
        await _feed.DisposeAsync();
        while (await viewer.Messages.WaitToReadAsync().AsTask().WaitAsync(s_bound))
            viewer.Messages.TryRead(out _);
        Assert.Null(_feed.TryAdd(withActors: false));
    }

    [Fact]
    public async Task TenThousandActorsOfWhichAFewChange()
    {
        var rows = Enumerable.Range(0, 10_000).Select(number => ($"router/containers/1-1/1-1/qp-{number:x6}", number)).ToArray();
        _source.Show(Rows("actors", rows));
        using var viewer = _feed.TryAdd(withActors: true)!;
        Assert.Equal(10_000, (await NextAsync(viewer)).GetProperty("Tables").GetProperty("actors").GetProperty("Rows").EnumerateObject().Count());
        rows[17].number = -1;
        _source.Show(Rows("actors", rows));
        Assert.Equal(["router/containers/1-1/1-1/qp-000011"],
            (await NextWithTablesAsync(viewer)).GetProperty("Tables").GetProperty("actors").GetProperty("Rows").EnumerateObject().Select(row => row.Name));
    }

    private static Section Rows(string name, params (string Key, int Value)[] rows) => new(name, [.. rows.Select(row => (row.Key, (object)new Row(row.Value)))], rows.Length);

    private static string Table(JsonElement message, string name) => message.GetProperty("Tables").GetProperty(name).GetRawText();

    private static async Task<JsonElement> NextAsync(Viewer viewer)
    {
        using var bound = new CancellationTokenSource(s_bound);
        var text = System.Text.Encoding.UTF8.GetString((await viewer.Messages.ReadAsync(bound.Token)).Span);
        Assert.StartsWith("event: tick\ndata: ", text);
        Assert.EndsWith("\n\n", text);
        Assert.Equal(3, text.Count(letter => letter == '\n'));
        return JsonSerializer.Deserialize<JsonElement>(text["event: tick\ndata: ".Length..]);
    }

    private static async Task<JsonElement> NextWithTablesAsync(Viewer viewer)
    {
        while (true)
        {
            var message = await NextAsync(viewer);
            if (message.GetProperty("Tables").EnumerateObject().Any())
                return message;
        }
    }
}
