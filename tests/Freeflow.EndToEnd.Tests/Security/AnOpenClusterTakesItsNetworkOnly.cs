using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Security;

[Trait("Tier", "All")]
public sealed class AnOpenClusterTakesItsNetworkOnly(LabFixture lab) : IClassFixture<LabFixture>
{
    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(120);

    [Fact]
    public void ItSaysThatItIsOpen() => Assert.Contains($"Cluster: it is open to everybody in {LabLayout.UnderlayPrefix}", lab.RouterLog("h1"));

    [Fact]
    public void ARouterFromElsewhereIsNotTaken()
    {
        OnFirstHost("add");
        try
        {
            MustBeRefused("192.168.60.2", $"it is not in {LabLayout.UnderlayPrefix}");
        }
        finally
        {
            OnFirstHost("del");
        }
    }

    [Fact]
    public void ARouterThatSpeaksTlsIsNotTaken()
    {
        using var certificates = new HostCertificates(1);
        MustBeRefused(
            "192.168.50.78", "it speaks TLS, and this router has no certificates",
            [.. certificates.Settings.Select(setting => setting.Replace(LabSettings.Host, "h1"))]);
    }

    private void MustBeRefused(string address, string reason, params string[] settings)
    {
        var logged = lab.RouterLog("h1").Length;
        using var stranger = new StrangersRouter(lab, address, settings);
        WaitFor.That($"h1 refusing {address}: {reason}", s_within,
            () => lab.RouterLog("h1")[logged..].Split('\n').Any(line => line.Contains("refused a connection from") && line.Contains(address) && line.Contains(reason)),
            () => lab.RouterLog("h1")[logged..] + "\n" + stranger.Says);
        Assert.DoesNotContain(LabLayout.UnderlayAddress(1), stranger.Status());
        Assert.Equal(2, lab.Status("h1").GetProperty("Members").GetArrayLength());
        new ProgramPair(lab, Placement.AcrossHosts).Run(TimeSpan.FromSeconds(60), "ibv_rc_pingpong");
    }

    private void OnFirstHost(string change)
    {
        var result = lab.Hosts.ExecPrivileged("h1", TimeSpan.FromSeconds(30), "ip", "address", change, "192.168.60.1/24", "dev", "eth0");
        Assert.True(result.ExitCode == 0, result.Everything);
    }
}
