using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tcp.Faults;

/// <summary>
/// A router that dies at each step of a handover (Freeflow.Verbs/Handover/FaultPoint.cs), on either side. Each connection is
/// answered, refused or reset within seconds; the next ones are plain, and accelerated again when the router is back.
/// </summary>
[Trait("Tier", "All")]
public sealed class RoutersThatDieInAHandover(BreakableLab lab) : IDisposable, IClassFixture<BreakableLab>
{
    private const int Port = 18840;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(40);

    private static string Program => LabFixture.TestProgram("tcp-crowd");

    /// <summary>Whatever has become of them, other tests need both.</summary>
    public void Dispose()
    {
        foreach (var host in (string[])["h1", "h2"])
            lab.Hosts.Routers.Start(host, inHostPidNamespace: false, hosts: 2);
        lab.Hosts.Routers.AwaitCluster(2, LabRouters.ClusterWithin);
    }

    [Theory]
    [InlineData("sockets-given", "h1")]
    [InlineData("connect-noted", "h1")]
    [InlineData("announcement-sent", "h1")]
    [InlineData("announcement-received", "h2")]
    [InlineData("connection-accepted", "h2")]
    [InlineData("connection-matched", "h2")]
    [InlineData("connection-locked", "h2")]
    [InlineData("connection-queued", "h2")]
    public void EndsAsAPlainConnectionOrAnOrdinaryError(string step, string host)
    {
        lab.Hosts.Routers.Stop(host);
        lab.Hosts.Routers.Start(host, inHostPidNamespace: false, hosts: 2, fault: step);
        lab.Hosts.Routers.AwaitCluster(2, LabRouters.ClusterWithin);
        using var server = lab.StartListening("h2c1", Port, Program, "answer", Port.ToString());

        // A listener becomes known to the other host a moment after it first waits, and until then connections are plain.
        WaitFor.That($"the router of {host} is dead", s_bound, () =>
        {
            var cut = Ask(3);
            Assert.Equal(3, cut.Answered + cut.Refused + cut.Reset);
            return lab.Hosts.Routers.PidOf(host) is null;
        }, () => lab.RouterLog(host)[^2000..]);
        Assert.Equal(3, Ask(3).Answered);

        lab.StartRouter(host);
        var before = TcpCounters.Of(lab, "h1");
        WaitFor.That("accelerated again", s_bound, () => Ask(1).Answered == 1 && TcpCounters.Of(lab, "h1").Announced > before.Announced);
    }

    [Fact]
    public void ConnectionsOutliveBothRouters()
    {
        using var server = lab.Hosts.Start("h2c1", "python3", "-c", $$"""
            import socket
            listener = socket.create_server(("0.0.0.0", {{Port}}))
            peer, _ = listener.accept()
            while data := peer.recv(100): peer.sendall(data)
            """);
        new Acceleration(lab, "h1c1", "h2c1").AwaitListener(Port);
        var before = TcpCounters.Of(lab, "h1");
        using var client = lab.Hosts.Start("h1c1", "python3", "-c", $$"""
            import socket, sys
            peer = socket.create_connection(("{{LabFixture.AddressOf("h2c1")}}", {{Port}}))
            for line in sys.stdin:
                peer.sendall(line.encode()); print("back", peer.recv(100).decode().strip(), peer.getpeername(), flush=True)
            """);
        WaitFor.That("accelerated", s_bound, () => TcpCounters.Of(lab, "h1").Announced > before.Announced);
        Say(client, "one");
        lab.Hosts.Routers.Kill("h1");
        Say(client, "two");
        lab.Hosts.Routers.Stop("h2");
        Say(client, "three");
        foreach (var host in (string[])["h1", "h2"])
            lab.Hosts.Routers.Start(host, inHostPidNamespace: false, hosts: 2);
        lab.Hosts.Routers.AwaitCluster(2, LabRouters.ClusterWithin);
        Say(client, "four");
        var peer = $"('{LabFixture.AddressOf("h2c1")}', {Port})";
        Assert.Equal($"back one {peer}\nback two {peer}\nback three {peer}\nback four {peer}\n", client.Wait(s_bound).Output);
    }

    private static void Say(BackgroundProgram program, string word)
    {
        program.Input.WriteLine(word);
        program.Input.Flush();
        program.AwaitOutput($"back {word}");
    }

    private (int Answered, int Refused, int Reset) Ask(int count)
    {
        var result = lab.Hosts.Exec("h1c1", s_bound, Program, "ask", LabFixture.AddressOf("h2c1"), Port.ToString(), count.ToString());
        var words = result.Output.Split(' ');
        Assert.True(words.Length == 8, result.Everything);
        return (int.Parse(words[1]), int.Parse(words[3]), int.Parse(words[5]));
    }
}
