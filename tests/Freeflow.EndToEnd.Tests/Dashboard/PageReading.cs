using Freeflow.Lab;
using Microsoft.Playwright;

namespace Freeflow.EndToEnd.Tests.Dashboard;

/// <summary>What a test reads from the page, by the roles that a screen reader goes by.</summary>
public static class PageReading
{
    /// <summary>Waits for a table's row that has all of these texts in it.</summary>
    public static async Task<ILocator> RowAsync(this IPage page, params string[] texts)
    {
        var row = page.GetByRole(AriaRole.Row);
        foreach (var text in texts)
            row = row.Filter(new LocatorFilterOptions { HasText = text });
        await SeenAsync(row.First, $"a row with {string.Join(", ", texts)}");
        return row.First;
    }

    /// <summary>The text of a row's cell below the heading of that name.</summary>
    public static async Task<string> CellAsync(this ILocator row, string heading)
    {
        var headings = await row.Page.Locator("table", new PageLocatorOptions { Has = row }).First.GetByRole(AriaRole.Columnheader).AllInnerTextsAsync();
        var index = headings.Select(text => text.Trim(' ', '↑', '↓')).ToList().IndexOf(heading);
        Assert.True(index >= 0, $"no column {heading} among {string.Join(", ", headings)}");
        return (await row.Locator("th, td").Nth(index).InnerTextAsync()).Trim();
    }

    public static async Task SeenAsync(this ILocator locator, string what)
    {
        try
        {
            await locator.WaitForAsync(new LocatorWaitForOptions { Timeout = (float)WaitFor.Scaled(DashboardBrowser.Bound).TotalMilliseconds });
        }
        catch (TimeoutException)
        {
            Assert.Fail($"not within {DashboardBrowser.Bound.TotalSeconds} s: {what}; the page has: {await locator.Page.Locator("body").InnerTextAsync()}");
        }
    }

    /// <summary>Waits for something that must come true on the page.</summary>
    public static async Task EventuallyAsync(this IPage page, string what, Func<Task<bool>> holds)
    {
        try
        {
            await WaitFor.ThatAsync(what, DashboardBrowser.Bound, holds);
        }
        catch (LateException late)
        {
            Assert.Fail($"{late.Message}; the page has: {await page.Locator("body").InnerTextAsync()}");
        }
    }
}
