using Microsoft.Playwright;

namespace Freeflow.EndToEnd.Tests.Dashboard;

/// <summary>ib_send_bw and iperf3 between two hosts, as the page of the client's host has them.</summary>
[Trait("Tier", "All")]
public sealed class TheDashboardShowsTraffic(LabFixture lab) : IAsyncLifetime, IClassFixture<LabFixture>
{
    private const int VerbsPort = 18515;
    private const int TcpPort = 5231;
    private const string Client = "h1c1";
    private const string Server = "h2c1";

    private DashboardBrowser _browser = null!;

    private static string ClientAddress => LabFixture.AddressOf(Client);

    private static string ServerAddress => LabFixture.AddressOf(Server);

    public async Task InitializeAsync() => _browser = await DashboardBrowser.StartAsync(lab, "h1");

    public async Task DisposeAsync() => await _browser.DisposeAsync();

    [Fact]
    public async Task QueuePairsWithTheirPeersAndRates()
    {
        using var server = lab.StartListening(Server, VerbsPort, "ib_send_bw", "--run_infinitely");
        using var client = lab.Hosts.Start(Client, "ib_send_bw", "--run_infinitely", ServerAddress);
        var page = await _browser.OpenAsync("qps");
        var row = await page.RowAsync(ClientAddress, ServerAddress, "RTS");
        Assert.Equal("RC", await row.CellAsync("Type"));
        Assert.Equal("192.168.50.2", await row.CellAsync("Peer router"));
        var rates = new HashSet<string>();
        await page.EventuallyAsync("rates that move", async () => rates.Add(await row.CellAsync("Sends")) && rates.Except(["–", "0/s"]).Count() >= 3);

        // Its chart, by the keyboard.
        await row.GetByRole(AriaRole.Button).PressAsync("Enter");
        await page.GetByRole(AriaRole.Img, new PageGetByRoleOptions { Name = "now sends" }).SeenAsync("the chart of the chosen QP");
        Assert.Equal("true", await row.GetAttributeAsync("aria-selected"));

        await page.GotoAsync(DashboardBrowser.Origin + "/#/containers");
        var container = await page.RowAsync(ClientAddress, "eth0");
        Assert.Equal("1", await container.CellAsync("QPs"));
        Assert.NotEqual("0", await container.CellAsync("MRs"));
        await page.RowAsync("verbs", ClientAddress);

        await page.GotoAsync(DashboardBrowser.Origin + "/#/");
        await page.EventuallyAsync("the data link's rate", async () =>
            await page.GetByRole(AriaRole.Img, new PageGetByRoleOptions { Name = "Data links to other routers" }).GetAttributeAsync("aria-label") is { } label && label.Contains("bit/s") && !label.Contains("sent 0 "));
        Assert.True(await page.Locator(".chart canvas").CountAsync() >= 5);
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task MemoryRegionsWithTheirOwners()
    {
        using var server = lab.StartListening(Server, VerbsPort, "ib_write_bw", "--run_infinitely");
        using var client = lab.Hosts.Start(Client, "ib_write_bw", "--run_infinitely", ServerAddress);
        using var other = lab.StartListening("h1c2", VerbsPort, "ibv_rc_pingpong", "-s", $"{1 << 20}");
        var page = await _browser.OpenAsync("mrs");
        var row = await page.RowAsync(ClientAddress, "REMOTE_WRITE");
        Assert.Matches("^0x[0-9a-f]+$", await row.CellAsync("Key"));
        Assert.Matches("^0x[0-9a-f]+$", await row.CellAsync("Start"));
        Assert.StartsWith("LOCAL_WRITE REMOTE_WRITE", await row.CellAsync("Access"));
        Assert.Equal("LOCAL_WRITE", await (await page.RowAsync(LabFixture.AddressOf("h1c2"), "1.0 MiB")).CellAsync("Access"));

        // The key is the one that /api has.
        var all = lab.Hosts.Exec("h1", DashboardBrowser.Bound, "curl", "-sS", "-m", "20", DashboardBrowser.Origin + "/api/mrs?Limit=1").Output;
        Assert.Matches("\"MemoryRegions\":\\[\\{[^\\]]*\"Length\":[^\\]]*\\],\"Total\":([2-9]|[1-9][0-9]+),\"Silent\":0", all);
        Assert.Empty(_browser.Complaints);
    }

    [Fact]
    public async Task TheActorsDownToAQueuePairByTheKeyboard()
    {
        using var server = lab.StartListening(Server, VerbsPort, "ib_send_bw", "--run_infinitely");
        using var client = lab.Hosts.Start(Client, "ib_send_bw", "--run_infinitely", ServerAddress);
        var page = await _browser.OpenAsync("actors");
        var tree = page.GetByRole(AriaRole.Treegrid);
        await page.RowAsync("router", "Router");
        await tree.FocusAsync();

        // Down, opening whatever can be opened, until a QP is reached.
        for (var step = 0; step < 200; step++)
        {
            var active = page.Locator($"[id=\"{await tree.GetAttributeAsync("aria-activedescendant")}\"]");
            var name = await active.InnerTextAsync();
            if (name.Contains("qp-", StringComparison.Ordinal))
            {
                Assert.Contains("QP", name);
                Assert.Contains("RTS", name);
                Assert.Contains(ServerAddress, name);
                Assert.True(int.Parse(await active.GetAttributeAsync("aria-level") ?? "0") >= 5, name);
                return;
            }

            await page.Keyboard.PressAsync(await active.GetAttributeAsync("aria-expanded") == "false" ? "ArrowRight" : "ArrowDown");
        }

        Assert.Fail("no QP among the actors: " + await tree.InnerTextAsync());
    }

    [Fact]
    public async Task FlowsTheirRatesAndWhoTalksToWhom()
    {
        using var server = lab.StartListening(Server, TcpPort, "iperf3", "-s", "-p", $"{TcpPort}");
        new Tcp.Programs.Acceleration(lab, Client, Server).AwaitListener(TcpPort);
        using var client = lab.Hosts.Start(Client, "iperf3", "-c", ServerAddress, "-p", $"{TcpPort}", "-t", "600");
        var page = await _browser.OpenAsync("flows");
        await page.RowAsync($"{ServerAddress}:{TcpPort}", "Gbit/s");
        await page.GotoAsync(DashboardBrowser.Origin + "/#/conversations");
        var row = await page.RowAsync(ClientAddress, ServerAddress, "192.168.50.2");
        Assert.NotEqual("0", await row.CellAsync("TCP flows"));
        Assert.True(await page.Locator(".graph path.edge.tcp").CountAsync() >= 1);
    }

    [Fact]
    public async Task WhyADestinationIsPlain()
    {
        const int nobodys = 9;
        using var server = lab.StartListening(Server, TcpPort, "iperf3", "-s", "-p", $"{TcpPort}");
        new Tcp.Programs.Acceleration(lab, Client, Server).AwaitListener(TcpPort);
        using var client = lab.Hosts.Start(Client, "bash", "-c", $": 3<>/dev/tcp/{ServerAddress}/{nobodys}; sleep 600; :");
        var page = await _browser.OpenAsync("flows");
        await page.RowAsync($"{ServerAddress}:{nobodys}", "no program with the library listens there");
        await page.GotoAsync(DashboardBrowser.Origin + "/#/explain");
        await page.GetByLabel("From").FillAsync(ClientAddress);
        await page.GetByLabel("To", new PageGetByLabelOptions { Exact = true }).FillAsync(ServerAddress);
        await page.GetByLabel("Port").FillAsync($"{nobodys}");
        await page.Keyboard.PressAsync("Enter");
        var steps = page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "TCP: not accelerated" });
        await steps.SeenAsync("that TCP would not be accelerated");
        Assert.Contains("a program with the library listens there", await steps.InnerTextAsync());
    }
}
