using Microsoft.Playwright;

namespace Freeflow.EndToEnd.Tests.Dashboard;

/// <summary>
/// Chromium on a lab's host: each host has its own, since a router's dashboard listens on its host's loopback. Everything that its pages
/// ask for, say on the console or throw is kept.
/// </summary>
public sealed class DashboardBrowser : IAsyncDisposable
{
    public const string Origin = "http://127.0.0.1:4484";

    /// <summary>For anything that the page is to show: the router looks once a second, and the machine may be busy.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly string _launcher;
    private readonly List<string> _requests = [];
    private readonly List<string> _complaints = [];

    private DashboardBrowser(IPlaywright playwright, IBrowser browser, string launcher) => (_playwright, _browser, _launcher) = (playwright, browser, launcher);

    /// <summary>What pages have asked for.</summary>
    public IReadOnlyList<string> Requests => Copy(_requests);

    /// <summary>Errors and warnings on the console, the policy's among them, and exceptions.</summary>
    public IReadOnlyList<string> Complaints => Copy(_complaints);

    public static async Task<DashboardBrowser> StartAsync(LabFixture lab, string host)
    {
        // The driver talks to the browser through inherited descriptors, which go through nsenter as they are.
        var launcher = Path.Combine(Path.GetTempPath(), $"freeflow-chromium-{host}-{Guid.NewGuid():n}");
        await File.WriteAllTextAsync(launcher, $"#!/bin/sh\nexec nsenter -t {(await File.ReadAllTextAsync(lab.Hosts.Paths.NodeFile(host))).Trim()} -n -- chromium \"$@\"\n");
        File.SetUnixFileMode(launcher, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = launcher,
            ChromiumSandbox = false,
            Args = ["--disable-dev-shm-usage", "--disable-gpu"],
            Timeout = (float)TimeSpan.FromSeconds(120).TotalMilliseconds,
        });
        return new DashboardBrowser(playwright, browser, launcher);
    }

    /// <param name="view">What is after the page's #/.</param>
    /// <param name="scheme">Light or dark.</param>
    public async Task<IPage> OpenAsync(string view, ColorScheme scheme = ColorScheme.Light)
    {
        var page = await NewPageAsync(scheme);
        await page.GotoAsync($"{Origin}/#/{view}");
        return page;
    }

    public async Task<IPage> NewPageAsync(ColorScheme scheme = ColorScheme.Light)
    {
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            ColorScheme = scheme,
            ReducedMotion = ReducedMotion.Reduce,
            ViewportSize = new ViewportSize { Width = 1280, Height = 800 },
            TimezoneId = "UTC",
            Locale = "en-GB",
        });
        context.SetDefaultTimeout((float)Bound.TotalMilliseconds);
        var page = await context.NewPageAsync();
        page.Request += (_, request) => Add(_requests, request.Url);
        page.PageError += (_, error) => Add(_complaints, error);
        page.Console += (_, message) =>
        {
            // Chromium itself logs an answer that fails or doesn't come, as it must while a router is away.
            if (message.Type is "error" or "warning" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
                Add(_complaints, message.Text);
        };
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
        File.Delete(_launcher);
    }

    private static void Add(List<string> to, string text)
    {
        lock (to)
            to.Add(text);
    }

    private static IReadOnlyList<string> Copy(List<string> list)
    {
        lock (list)
            return [.. list];
    }
}
