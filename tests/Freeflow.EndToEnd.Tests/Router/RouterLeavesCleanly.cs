using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Router;

public sealed class RouterLeavesCleanly(BreakableLab lab) : IClassFixture<BreakableLab>
{
    [Fact]
    public void SigtermLeavesTheClusterAndFreesEverything()
    {
        var sockets = Path.Combine(lab.Hosts.Paths.FreeflowDirectory("h2"), "run");
        Assert.NotEmpty(Directory.GetFiles(sockets));
        var from = DateTime.UtcNow;
        lab.Hosts.Routers.Stop("h2");
        Assert.True(DateTime.UtcNow - from < TimeSpan.FromSeconds(15));
        try
        {
            // It said goodbye: the other member need not find out by silence.
            WaitFor.That("one member in h1's cluster", TimeSpan.FromSeconds(20),
                () => lab.Status("h1").GetProperty("Members").GetArrayLength() == 1);
            Assert.Empty(Directory.GetFiles(sockets));
            var log = lab.RouterLog("h2");
            Assert.DoesNotContain("Unhandled exception", log);
        }
        finally
        {
            lab.StartRouter("h2");
        }
    }

    [Fact]
    public void StatusWithoutARouterSaysSoAndFails()
    {
        var result = lab.Hosts.Exec("h1", TimeSpan.FromSeconds(10), "env", "FFR_NAME=nobody", "freeflow", "status");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("no router answers", result.Errors);
    }
}
