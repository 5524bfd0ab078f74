namespace Freeflow.EndToEnd.Tests.Tcp.Faults;

/// <summary>
/// Routers that stand still for a moment each time when they have sent a socket to a process and still hold it too
/// (Freeflow.Verbs/Handover/FaultPoint.cs). A descriptor that the application closes then is closed all the same: it has left
/// the application's epoll sets, and the peer sees the end.
/// </summary>
public sealed class RoutersThatAreSlowToLetGo(BreakableLab lab) : IDisposable, IClassFixture<BreakableLab>
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(40);

    public void Dispose() => Restart(null, null);

    [Theory]
    [InlineData(Placement.SameHost, "connection-sent=20", null)]
    [InlineData(Placement.SameHost, "sockets-sent=20", null)]
    [InlineData(Placement.AcrossHosts, "sockets-sent=20", "connection-sent=20")]
    public void AreNotSeenByProgramsThatClose(Placement placement, string onFirst, string? onSecond)
    {
        Restart(onFirst, onSecond);
        new ScenePair(lab, placement).MustLookAlike("tcp-events closed", 21);
    }

    private void Restart(string? onFirst, string? onSecond)
    {
        foreach (var host in (string[])["h1", "h2"])
            lab.Hosts.Routers.Stop(host);
        lab.Hosts.Routers.Start("h1", inHostPidNamespace: false, hosts: 2, onFirst);
        lab.Hosts.Routers.Start("h2", inHostPidNamespace: false, hosts: 2, onSecond);
        lab.Hosts.Routers.AwaitCluster(2, s_bound);
    }
}
