using System.Text;
using System.Text.Json;
using Microsoft.Playwright;

namespace Freeflow.EndToEnd.Tests.Dashboard;

/// <summary>By keyboard, light and dark, with ten thousand actors, with names that mean harm, and with nothing from elsewhere.</summary>
[Trait("Tier", "All")]
public sealed class TheDashboardIsForEverybody(LabFixture lab) : IAsyncLifetime, IClassFixture<LabFixture>
{
    private static readonly string[] s_views = ["", "members", "containers", "qps", "mrs", "flows", "conversations", "actors", "events", "explain"];

    private DashboardBrowser _browser = null!;

    public async Task InitializeAsync() => _browser = await DashboardBrowser.StartAsync(lab, "h1");

    public async Task DisposeAsync() => await _browser.DisposeAsync();

    [Fact]
    public async Task EveryViewComesFromItsRouterAlone()
    {
        var page = await _browser.NewPageAsync();
        foreach (var view in s_views)
        {
            await page.GotoAsync($"{DashboardBrowser.Origin}/#/{view}");
            await page.Locator("#link", new PageLocatorOptions { HasText = "Live" }).SeenAsync($"the view {view}, live");
            Assert.Equal(1, await page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Level = 1 }).CountAsync());
            Assert.Equal(1, await page.Locator("nav [aria-current=page]").CountAsync());
        }

        Assert.All(_browser.Requests, url => Assert.StartsWith(DashboardBrowser.Origin + "/", url));
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task NamesWithMarkupAndEscapesAreText()
    {
        const string container = "h1c4";
        const string name = "<marquee>\u001b[1m";
        Must(container, "ip", "link", "add", name, "type", "veth", "peer", "name", "ff-peer");
        try
        {
            Must(container, "ip", "address", "add", "10.244.1.88/32", "dev", name);
            Must(container, "ip", "link", "set", name, "up");
            Must(container, "ip", "link", "set", "ff-peer", "up");
            using var holder = lab.StartListening(container, 18515, "ib_write_bw");
            var page = await _browser.OpenAsync("containers");
            var row = await page.RowAsync(LabFixture.AddressOf(container), @"<marquee>\x1b[1m");
            Assert.Contains("10.244.1.88", await row.InnerTextAsync());
            Assert.Equal(0, await page.Locator("marquee").CountAsync());

            await page.GotoAsync(DashboardBrowser.Origin + "/#/explain");
            await page.GetByLabel("From").FillAsync("<marquee>\u202e");
            await page.GetByLabel("To", new PageGetByLabelOptions { Exact = true }).FillAsync("10.244.1.11");
            await page.Keyboard.PressAsync("Enter");
            await page.Locator("main .problem").SeenAsync("why that is not explained");
            Assert.Equal(0, await page.Locator("marquee").CountAsync());
            Assert.Empty(_browser.Complaints);
        }
        finally
        {
            Must(container, "ip", "link", "del", name);
        }
    }

    [Fact]
    public async Task TheKeyboardReachesEverything()
    {
        var page = await _browser.OpenAsync("members");
        await page.RowAsync("192.168.50.1:4480");
        await page.Keyboard.PressAsync("Tab");
        Assert.Equal("Skip to the content", await FocusedAsync(page));
        var reached = new List<string>();
        for (var step = 0; step < 30 && !reached.Contains("Router"); step++)
        {
            await page.Keyboard.PressAsync("Tab");
            Assert.True(await page.EvaluateAsync<bool>("document.activeElement.matches(':focus-visible')"), $"the focus is not seen at {await FocusedAsync(page)}");
            reached.Add(await FocusedAsync(page));
        }

        // The theme, every view, then the table and its headings.
        Assert.All((string[])["Overview", "Members", "Containers", "Queue pairs", "TCP flows", "Who talks to whom", "Actors", "Events", "Why is it plain?"],
            view => Assert.Contains(reached, text => text.StartsWith(view, StringComparison.Ordinal)));
        await page.Keyboard.PressAsync("Enter");
        Assert.Equal("ascending", await page.GetByRole(AriaRole.Columnheader, new PageGetByRoleOptions { Name = "Router" }).GetAttributeAsync("aria-sort"));
        await page.Keyboard.PressAsync("Enter");
        Assert.Equal("descending", await page.GetByRole(AriaRole.Columnheader, new PageGetByRoleOptions { Name = "Router" }).GetAttributeAsync("aria-sort"));

        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Queue pairs" }).PressAsync("Enter");
        await page.EventuallyAsync("the focus at the new view", () => page.EvaluateAsync<bool>("document.activeElement.id === 'main'"));
    }

    [Fact]
    public async Task LightAndDarkAsTheReaderWants()
    {
        var (light, dark) = (await _browser.OpenAsync(""), await _browser.OpenAsync("", ColorScheme.Dark));
        Assert.True(await BrightnessAsync(light) > 200);
        Assert.True(await BrightnessAsync(dark) < 60);
        await dark.GetByLabel("Theme").SelectOptionAsync("light");
        Assert.True(await BrightnessAsync(dark) > 200);
        await dark.ReloadAsync();
        Assert.True(await BrightnessAsync(dark) > 200, "the choice is forgotten");
    }

    [Fact]
    public async Task TenThousandActorsAreAFewElements()
    {
        const int count = 10_000;
        var page = await _browser.NewPageAsync();
        await page.RouteAsync("**/api/stream*", route => route.FulfillAsync(new RouteFulfillOptions { ContentType = "text/event-stream", Body = Crowd(count) }));
        await page.GotoAsync(DashboardBrowser.Origin + "/#/actors");
        var tree = page.GetByRole(AriaRole.Treegrid);
        await page.RowAsync("router", "Router");
        await tree.FocusAsync();
        foreach (var key in (string[])["ArrowDown", "ArrowRight", "ArrowDown", "ArrowRight", "End"])
            await page.Keyboard.PressAsync(key);
        await page.RowAsync($"qp-{count - 1:x6}");
        Assert.Equal(count, int.Parse(await (await page.RowAsync($"qp-{count - 1:x6}")).GetAttributeAsync("aria-posinset") ?? "0"));
        Assert.InRange(await page.Locator(".tree [role=row]").CountAsync(), 5, 150);
        await page.GetByLabel("Filter actors").FillAsync("qp-001234");
        await page.RowAsync("qp-001234");
        await page.EventuallyAsync("one QP and what it is below", async () => await page.Locator(".tree .rows [role=row]:visible").CountAsync() == 4);
    }

    [Fact]
    public async Task WhereATokenIsNeededItIsAskedFor()
    {
        const string token = "the-token-of-this-test";
        var page = await _browser.NewPageAsync();
        await page.RouteAsync("**/api/stream*", route => route.FulfillAsync(
            route.Request.Headers.GetValueOrDefault("authorization") == $"Bearer {token}"
                ? new RouteFulfillOptions { ContentType = "text/event-stream", Body = Crowd(10) }
                : new RouteFulfillOptions { Status = 401, Body = "the router's token is needed" }));
        await page.GotoAsync(DashboardBrowser.Origin + "/#/actors");
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.SeenAsync("the question for the token");
        await page.Keyboard.TypeAsync("a wrong one");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#token-problem", new PageLocatorOptions { HasText = "is needed" }).SeenAsync("that it is wrong");
        await dialog.GetByLabel("Token").FillAsync(token);
        await page.Keyboard.PressAsync("Enter");
        await page.RowAsync("router", "Router");
        Assert.True(await dialog.IsHiddenAsync());
    }

    /// <summary>One container with so many QPs, as the router would tell of it.</summary>
    private static string Crowd(int count)
    {
        const string connection = "router/containers/1-1";
        var rows = new Dictionary<string, object>();
        void Add(string path, string kind, string? state = null) => rows.Add(path, new { Path = path, Kind = kind, State = state, Mailbox = 0, Restarts = 0 });
        Add("router", "Router");
        Add("router/containers", "Containers");
        Add(connection, "Container", "serving");
        for (var number = 0; number < count; number++)
            Add($"{connection}/qp-{number:x6}", "QueuePair", "RTS");
        var table = new { All = true, Total = rows.Count, Problem = (string?)null, Rows = rows, Gone = Array.Empty<string>() };
        return new StringBuilder("event: tick\ndata: ").Append(JsonSerializer.Serialize(new { At = 0, Tables = new { actors = table } })).Append("\n\n").ToString();
    }

    private static Task<string> FocusedAsync(IPage page) => page.EvaluateAsync<string>("(document.activeElement.innerText || document.activeElement.ariaLabel || '').trim()");

    private static Task<double> BrightnessAsync(IPage page) =>
        page.EvaluateAsync<double>("(() => { const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number); return (r + g + b) / 3; })()");

    private void Must(string container, params string[] command)
    {
        var result = lab.Hosts.ExecPrivileged(container, TimeSpan.FromSeconds(60), command);
        Assert.True(result.ExitCode == 0, result.Everything);
    }
}
