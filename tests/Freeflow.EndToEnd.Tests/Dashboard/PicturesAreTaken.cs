using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Freeflow.EndToEnd.Tests.Dashboard;

/// <summary>Leaves pictures of the page in artifacts/dashboard/.</summary>
[Trait("Tier", "All")]
public sealed partial class PicturesAreTaken(LabFixture lab) : IClassFixture<LabFixture>
{
    [Fact]
    public async Task WithTrafficOnThem()
    {
        var directory = Directory.CreateDirectory(Path.Combine(lab.Hosts.Paths.Repository, "artifacts/dashboard")).FullName;
        using var verbsServer = lab.StartListening("h2c1", 18515, "ib_send_bw", "--run_infinitely", "-q", "4");
        using var verbsClient = lab.Hosts.Start("h1c1", "ib_send_bw", "--run_infinitely", "-q", "4", LabFixture.AddressOf("h2c1"));
        using var localServer = lab.StartListening("h1c2", 18516, "ib_write_bw", "--run_infinitely", "-p", "18516");
        using var localClient = lab.Hosts.Start("h1c3", "ib_write_bw", "--run_infinitely", "-p", "18516", LabFixture.AddressOf("h1c2"));
        using var tcpServer = lab.StartListening("h2c2", 5232, "iperf3", "-s", "-p", "5232");
        new Tcp.Programs.Acceleration(lab, "h1c2", "h2c2").AwaitListener(5232);
        using var tcpClient = lab.Hosts.Start("h1c2", "iperf3", "-c", LabFixture.AddressOf("h2c2"), "-p", "5232", "-t", "600", "-b", "2G");

        await using var browser = await DashboardBrowser.StartAsync(lab, "h1");
        var overview = await browser.OpenAsync("");
        await overview.Locator(".figures div", new PageLocatorOptions { HasTextRegex = TcpFlows() }).SeenAsync("flows");
        // Charts of some time look better; whoever takes pictures says how much.
        await Task.Delay(TimeSpan.FromSeconds(Environment.GetEnvironmentVariable("FREEFLOW_PICTURES_AFTER") is { } after ? int.Parse(after) : 2));
        await TakeAsync(overview, "overview");

        var talks = await browser.OpenAsync("conversations", ColorScheme.Dark);
        await talks.RowAsync(LabFixture.AddressOf("h1c2"), LabFixture.AddressOf("h2c2"));
        await TakeAsync(talks, "conversations");

        var actors = await browser.OpenAsync("actors", ColorScheme.Dark);
        await actors.RowAsync("router", "Router");
        await actors.GetByLabel("Filter actors").FillAsync("qp");
        await actors.RowAsync("RTS");
        await TakeAsync(actors, "actors");

        async Task TakeAsync(IPage page, string name)
        {
            var path = Path.Combine(directory, name + ".png");
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = path });
            Assert.True(new FileInfo(path).Length > 0);
        }
    }

    [GeneratedRegex(@"TCP flows\s*[1-9]")]
    private static partial Regex TcpFlows();
}
