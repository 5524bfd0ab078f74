using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Deaths;

/// <summary>One host of three is cut off: the other two go on, and it joins them again by itself when the network is back.</summary>
[Trait("Tier", "All")]
public sealed class HostsThatAreCutOff(ThreeHostsLab lab) : IClassFixture<ThreeHostsLab>
{
    private const int Port = 18600;
    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(90);

    /// <summary>The first seed makes a cluster of its own when it is started alone, the others wait for one.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void JoinAgain(int cut)
    {
        var logged = Enumerable.Range(1, 3).ToDictionary(host => host, host => lab.RouterLog(LabLayout.Host(host)).Length);
        string LogOf(int host) => lab.RouterLog(LabLayout.Host(host))[logged[host]..];
        var others = Enumerable.Range(1, 3).Where(host => host != cut).ToArray();
        string[] command = [LabFixture.TestProgram("verbs-check"), "-q", "2", "-w"];
        var serverNode = LabLayout.Container(others[0], 1);
        using (var server = lab.StartListening(serverNode, Port, command))
        using (var client = lab.Hosts.Start(LabLayout.Container(others[1], 1), [.. command, LabFixture.AddressOf(serverNode)]))
        {
            using (new HostCutOff(lab, cut))
            {
                foreach (var host in others)
                    AwaitMembers(host, 2);
                // It can't know whether the others are dead, but that they are more.
                WaitFor.That($"the end of h{cut}'s router", s_within, () => LogOf(cut).Contains("Shutting down myself", StringComparison.Ordinal));
            }

            foreach (var end in new[] { client.Wait(s_within), server.Wait(s_within) })
                Assert.True(end.ExitCode == 0, end.Everything);
        }

        lab.Hosts.Routers.AwaitCluster(3, LabRouters.ClusterWithin);
        foreach (var host in others)
            Assert.DoesNotContain("this router ends", LogOf(host));
    }

    private void AwaitMembers(int host, int count) => WaitFor.That($"{count} members in h{host}'s cluster", s_within,
        () => lab.Status(LabLayout.Host(host)).GetProperty("Members").GetArrayLength() == count);
}
