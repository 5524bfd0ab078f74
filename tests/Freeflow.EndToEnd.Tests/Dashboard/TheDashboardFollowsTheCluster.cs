using Microsoft.Playwright;

namespace Freeflow.EndToEnd.Tests.Dashboard;

/// <summary>A router that is killed and comes back, on the pages of both hosts, which are never loaded anew.</summary>
[Trait("Tier", "All")]
public sealed class TheDashboardFollowsTheCluster(BreakableLab lab) : IAsyncLifetime, IClassFixture<BreakableLab>
{
    private const string Other = "192.168.50.2:4480";

    private DashboardBrowser _here = null!;
    private DashboardBrowser _there = null!;

    public async Task InitializeAsync() => (_here, _there) = (await DashboardBrowser.StartAsync(lab, "h1"), await DashboardBrowser.StartAsync(lab, "h2"));

    public async Task DisposeAsync()
    {
        await _here.DisposeAsync();
        await _there.DisposeAsync();
    }

    [Fact]
    public async Task ADeathIsSeenAndSoIsTheReturn()
    {
        var (page, theirs) = (await _here.OpenAsync("members"), await _there.OpenAsync("members"));
        foreach (var each in (IPage[])[page, theirs])
        {
            await each.RowAsync(Other, "Up");
            await each.RowAsync("192.168.50.1:4480", "Up");
            await each.Locator(".note", new PageLocatorOptions { HasText = "Cluster: open to everybody in 192.168.50.0/24, and not encrypted" }).SeenAsync("that the cluster is open");
            await each.EvaluateAsync("window.isTheSamePage = true");
        }

        var row = await page.RowAsync(Other);
        Assert.Equal("up", await row.CellAsync("Data link"));
        lab.Hosts.Routers.Kill("h2");
        await page.EventuallyAsync("the killed router as unreachable, or no member any more", async () =>
            await row.CountAsync() == 0 || await row.InnerTextAsync() is var text && (text.Contains("unreachable") || text.Contains("down")));
        await page.EventuallyAsync("that it is said to a screen reader", async () => (await page.Locator("#announcer").InnerTextAsync()).Contains(Other));
        await page.Locator("#link", new PageLocatorOptions { HasText = "Live" }).SeenAsync("that its own router is there");
        await theirs.Locator("#link", new PageLocatorOptions { HasText = "No answer since" }).SeenAsync("that the page's own router does not answer");

        lab.StartRouter("h2");
        await page.EventuallyAsync("the router that came back", async () => await row.CountAsync() == 1 && (await row.InnerTextAsync()).Contains("Up") && await row.CellAsync("Data link") == "up");
        await theirs.Locator("#link", new PageLocatorOptions { HasText = "Live" }).SeenAsync("the page's own router again");
        await theirs.RowAsync(Other, "this one", "Up");
        foreach (var each in (IPage[])[page, theirs])
            Assert.True(await each.EvaluateAsync<bool>("window.isTheSamePage === true"), "the page was loaded anew");

        await page.GotoAsync(DashboardBrowser.Origin + "/#/events");
        await page.RowAsync("member-unreachable", "warning", Other);
        await page.RowAsync("member-up", "info", Other);
        await page.GotoAsync(DashboardBrowser.Origin + "/#/");
        await page.Locator(".log", new PageLocatorOptions { HasText = Other }).SeenAsync("what has happened, on the overview");
    }
}
