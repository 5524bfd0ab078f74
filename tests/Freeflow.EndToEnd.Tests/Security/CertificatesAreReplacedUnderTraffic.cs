using Freeflow.EndToEnd.Tests.Deaths;
using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Security;

[Collection(SecureLab.Collection)]
[Trait("Tier", "All")]
public sealed class CertificatesAreReplacedUnderTraffic(SecureLab lab)
{
    /// <summary>The files are looked at every ten seconds.</summary>
    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(90);

    private static readonly string[] s_hosts = ["h1", "h2"];

    [Fact]
    public void AnAuthorityTakesAnothersPlaceWithoutARestart()
    {
        var (first, second) = (lab.Hosts.Routers.PidOf("h1"), lab.Hosts.Routers.PidOf("h2"));
        using (var traffic = new Bystanders(lab, "h1c2", "h2c2"))
        {
            var old = lab.Certificates.NewAuthority();
            Replace(host => lab.Certificates.Trust(host, old, lab.Certificates.CurrentAuthority));
            Replace(lab.Certificates.Renew);
            Replace(host => lab.Certificates.Trust(host, lab.Certificates.CurrentAuthority));
            MustBeOneCluster();
            traffic.MustBeWell();
        }

        Assert.Equal((first, second), (lab.Hosts.Routers.PidOf("h1"), lab.Hosts.Routers.PidOf("h2")));

        // One that has only ever seen the new ones joins the other, which has read them.
        using (var traffic = new Bystanders(lab, "h1c1", "h1c2"))
        {
            lab.Hosts.Routers.Kill("h2");
            lab.StartRouter("h2");
            traffic.MustBeWell();
        }

        MustBeOneCluster();
        Assert.Equal(first, lab.Hosts.Routers.PidOf("h1"));
    }

    [Fact]
    public void TwoClustersBecomeOneAgain()
    {
        using (new HostCutOff(lab, 2))
        {
            foreach (var host in s_hosts)
            {
                WaitFor.That($"one member in {host}'s cluster", s_within, () => lab.Status(host).GetProperty("Members").GetArrayLength() == 1);
            }
        }

        lab.Hosts.Routers.AwaitCluster(2, LabRouters.ClusterWithin);
        MustBeOneCluster();
    }

    private void Replace(Action<string> change)
    {
        foreach (var host in s_hosts)
        {
            var logged = lab.RouterLog(host).Length;
            change(host);
            WaitFor.That($"{host} having read its certificates again", s_within,
                () => lab.RouterLog(host)[logged..].Contains("Cluster: the certificates were replaced"), () => lab.RouterLog(host)[logged..]);
        }
    }

    private void MustBeOneCluster()
    {
        lab.Hosts.Routers.AwaitCluster(2, LabRouters.ClusterWithin);
        new ProgramPair(lab, "h2c1", "h1c1").Run(TimeSpan.FromSeconds(60), "ibv_rc_pingpong");
    }
}
