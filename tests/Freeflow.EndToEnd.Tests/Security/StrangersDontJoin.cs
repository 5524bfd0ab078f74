using System.Text.RegularExpressions;
using Freeflow.Actors.Tests.ClusterTransport;
using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Security;

/// <summary>Real routers without a good certificate: they join no cluster, and the one that they want to join goes on and says why.</summary>
[Collection(SecureLab.Collection)]
[Trait("Tier", "All")]
public sealed partial class StrangersDontJoin(SecureLab lab) : IDisposable
{
    /// <summary>A router is there after a few seconds, and asks to join at once.</summary>
    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(120);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("freeflow-foreign");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void MembersWithCertificatesAreACluster()
    {
        Assert.Contains("Cluster: members show certificates; the own one: CN=h1, ", lab.RouterLog("h1"));
        WaitFor.That("an encrypted data link", s_within, () => EncryptedLink().IsMatch(lab.RouterLog("h1")), () => lab.RouterLog("h1"));
        Assert.DoesNotContain("not encrypted", lab.RouterLog("h1"));
        MustBeWell();
        Assert.Equal(0, Doctor("h1").ExitCode);
        Assert.Contains("OK    certificate: CN=h1, valid until", Doctor("h1").Output);
    }

    [Fact]
    public void WithoutACertificate() => MustBeRefused("192.168.50.71", "it does not speak TLS");

    [Fact]
    public void WithOneOfAnotherAuthority()
    {
        var theirs = new TestAuthority(_directory.FullName, "theirs");
        MustBeRefused("192.168.50.72", null, TlsOf(theirs.File, theirs.Issue("stranger")), "its certificate (CN=h1) is by CN=");
    }

    [Fact]
    public void WithOneOfAnotherAuthorityThatTrustsOurs()
    {
        var theirs = new TestAuthority(_directory.FullName, "theirs");
        MustBeRefused("192.168.50.73", "its certificate (CN=stranger) is by CN=theirs, which is no CA of freeflow.tls.ca", TlsOf(Ours(theirs), theirs.Issue("stranger")));
    }

    [Theory]
    [InlineData("192.168.50.74", "bad authority", -30, -1, "has expired on")]
    [InlineData("192.168.50.75", "bad authority", 1, 30, "is not valid before")]
    public void WhoseTimeItIsNot(string address, string name, double from, double to, string reason)
    {
        var theirs = new TestAuthority(_directory.FullName, name);
        var both = Ours(theirs);
        lab.Certificates.Trust("h1", lab.Certificates.CurrentAuthority, Path.Combine(_directory.FullName, "trusted"));
        try
        {
            MustBeRefused(address, "its certificate (CN=stranger) " + reason, TlsOf(both, theirs.Issue("stranger", from, to)));
        }
        finally
        {
            lab.Certificates.Trust("h1", lab.Certificates.CurrentAuthority);
        }
    }

    [Fact]
    public void WithAMembersOwnAtAnotherAddress()
    {
        var stolen = lab.Certificates.Settings.Select(setting => setting.Replace(LabSettings.Host, "h2")).ToArray();
        MustBeRefused("192.168.50.76", "is for 192.168.50.2 and not for 192.168.50.76", stolen);
    }

    private void MustBeRefused(string address, string? reason, params string[] settings) => MustBeRefused(address, reason, settings, null);

    private void MustBeRefused(string address, string? reason, string[] settings, string? itSays)
    {
        var logged = lab.RouterLog("h1").Length;
        using (var stranger = new StrangersRouter(lab, address, settings))
        {
            if (reason is not null)
            {
                WaitFor.That($"h1 refusing {address}: {reason}", s_within,
                    () => lab.RouterLog("h1")[logged..].Split('\n').Any(line => line.Contains($"refused a connection from {address}:") && line.Contains(reason)),
                    () => lab.RouterLog("h1")[logged..] + "\n" + stranger.Says);
            }

            if (itSays is not null)
                WaitFor.That($"the stranger saying: {itSays}", s_within, () => stranger.Says.Contains(itSays), () => stranger.Says);
            Assert.DoesNotContain(LabLayout.UnderlayAddress(1), stranger.Status());
            MustBeWell();
        }

        Assert.DoesNotContain($"{address}:4480", string.Join('\n', lab.RouterLog("h1")[logged..].Split('\n').Where(line => line.Contains("Peers:"))));
    }

    private void MustBeWell()
    {
        Assert.Equal(2, lab.Status("h1").GetProperty("Members").GetArrayLength());
        new ProgramPair(lab, Placement.AcrossHosts).Run(TimeSpan.FromSeconds(60), "ibv_rc_pingpong");
    }

    private string Ours(TestAuthority theirs)
    {
        var directory = Directory.CreateDirectory(Path.Combine(_directory.FullName, "trusted"));
        File.Copy(theirs.File, Path.Combine(directory.FullName, "ca.pem"), overwrite: true);
        var both = Path.Combine(_directory.FullName, "both.pem");
        File.WriteAllText(both, File.ReadAllText(Path.Combine(lab.Certificates.CurrentAuthority, "ca.pem")) + File.ReadAllText(theirs.File));
        return both;
    }

    private static string[] TlsOf(string authorities, (string Certificate, string Key) shown) =>
        [$"freeflow.tls.ca={authorities}", $"freeflow.tls.certificate={shown.Certificate}", $"freeflow.tls.key={shown.Key}"];

    [GeneratedRegex(@"Data link to akka\.tcp://freeflow@192\.168\.50\.2:4480#\S+ is encrypted")]
    private static partial Regex EncryptedLink();

    private ProgramResult Doctor(string host) => lab.Hosts.ExecPrivileged(
        host, TimeSpan.FromSeconds(60),
        ["env", $"HOST_IP_PREFIX={LabLayout.UnderlayPrefix}", "freeflow", "doctor", "--config", lab.Hosts.Paths.LabConfiguration,
            .. lab.Certificates.Settings.SelectMany(setting => (string[])["--set", setting.Replace(LabSettings.Host, host)])]);
}
