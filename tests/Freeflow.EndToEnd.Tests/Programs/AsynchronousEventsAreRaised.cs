using System.Text.RegularExpressions;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Programs;

/// <summary>What ibv_asyncwatch shows of the port, the addresses and the router. The third containers are there to be broken.</summary>
public sealed partial class AsynchronousEventsAreRaised(BreakableLab lab) : IClassFixture<BreakableLab>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(20);

    [Fact]
    public void WhenTheInterfaceGoesDownAndUp()
    {
        using var watch = Watch("h1c3", seconds: 8);
        SetUp("link", "set", "eth0", "down");
        WaitFor.That("the port down", s_bound, () => PortState().Contains("PORT_DOWN"), PortState);
        SetUp("link", "set", "eth0", "up");
        // The kernel has dropped the routes with it.
        SetUp("route", "replace", "default", "via", LabLayout.OverlayGateway(1));
        WaitFor.That("the port active", s_bound, () => PortState().Contains("PORT_ACTIVE"), PortState);
        var seen = Seen(watch);
        Assert.Equal(["PORT_ERR", "PORT_ACTIVE"], seen.Where(name => name != "GID_CHANGE"));
    }

    [Fact]
    public void WhenAnAddressComesAndGoes()
    {
        using var watch = Watch("h1c3", seconds: 6);
        SetUp("address", "add", "10.244.1.98/24", "dev", "eth0");
        WaitFor.That("the address known", s_bound, () => lab.Status("h1").GetProperty("Addresses").TryGetProperty("10.244.1.98", out _));
        SetUp("address", "del", "10.244.1.98/24", "dev", "eth0");
        Assert.Equal(["GID_CHANGE", "GID_CHANGE"], Seen(watch));
    }

    [Fact]
    public void WhenTheRouterIsGone()
    {
        using var watch = Watch("h2c3", seconds: 30);
        lab.Hosts.Routers.Kill("h2");
        // It ends by itself: the descriptor does, behind the event.
        var ended = watch.Wait(s_bound);
        lab.StartRouter("h2");
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("DEVICE_FATAL", ended.Output);
    }

    private BackgroundProgram Watch(string container, int seconds)
    {
        var watch = lab.Hosts.Start(container, "timeout", $"{seconds}", "stdbuf", "-oL", "ibv_asyncwatch");
        watch.AwaitOutput("async event FD");
        return watch;
    }

    private string PortState() => lab.Hosts.Exec("h1c3", s_bound, "ibv_devinfo").Everything;

    private void SetUp(params string[] words)
    {
        var result = lab.Hosts.ExecPrivileged("h1c3", s_bound, ["ip", .. words]);
        Assert.True(result.ExitCode == 0, result.Everything);
    }

    private static List<string> Seen(BackgroundProgram watch) =>
        [.. EventName().Matches(watch.Wait(s_bound).Output).Select(match => match.Groups[1].Value)];

    [GeneratedRegex(@"IBV_EVENT_(\w+)")]
    private static partial Regex EventName();
}
