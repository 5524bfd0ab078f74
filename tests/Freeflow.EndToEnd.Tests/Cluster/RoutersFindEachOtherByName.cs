using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Cluster;

[Trait("Tier", "All")]
public sealed class RoutersFindEachOtherByName(NamedLab lab) : IClassFixture<NamedLab>
{
    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(120);

    /// <summary>As pods of a headless Service do: they come one by one, and start again at other addresses.</summary>
    [Fact]
    public void WhoseAddressesChange()
    {
        Start(2);
        WaitFor.That("h2 missing its seeds", s_within, () => lab.RouterLog("h2").Contains("looking for its cluster for", StringComparison.Ordinal), () => lab.RouterLog("h2"));
        Assert.Contains("routers.freeflow.test has no address", lab.RouterLog("h2"));
        Assert.DoesNotContain(" Up", lab.Hosts.Routers.Status("h2"));

        lab.StandFor(2, 3);
        Start(3);
        MustSee(2, 2, 3);
        MustSee(3, 2, 3);
        Assert.Contains("(by dns)", lab.RouterLog("h2"));

        // The first one is gone, and one that nobody has heard of has come.
        lab.Hosts.Routers.Stop(LabLayout.Host(2));
        lab.StandFor(1, 3);
        Start(1);
        MustSee(1, 1, 3);
        MustSee(3, 1, 3);

        // All of them at once.
        foreach (var host in new[] { 1, 3 })
            lab.Hosts.Routers.Kill(LabLayout.Host(host));
        lab.StandFor(1, 2, 3);
        foreach (var host in new[] { 3, 2, 1 })
            Start(host);
        foreach (var host in new[] { 3, 2, 1 })
            MustSee(host, 1, 2, 3);
    }

    private void Start(int host) => lab.Hosts.Routers.Start(LabLayout.Host(host), inHostPidNamespace: false, hosts: 3);

    private void MustSee(int host, params int[] members)
    {
        var name = LabLayout.Host(host);
        var wanted = members.Select(member => $"{LabLayout.UnderlayAddress(member)}:4480 Up").ToHashSet();
        WaitFor.That($"{string.Join(", ", wanted)} seen by {name}", s_within,
            () => lab.Hosts.Routers.Status(name).Split('\n').Where(line => line.Contains(":4480 ", StringComparison.Ordinal)).ToHashSet().SetEquals(wanted),
            () => lab.Hosts.Routers.Status(name) + lab.RouterLog(name));
    }
}
