using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tcp.Faults;

/// <summary>More connections than a listener takes, or a process may have (tests/Programs/tcp-crowd.c).</summary>
public sealed class CrowdsAtAListener(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 18830;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    private static string Program => LabFixture.TestProgram("tcp-crowd");

    [Theory]
    [InlineData(Placement.SameHost)]
    [InlineData(Placement.AcrossHosts)]
    public void AFullQueueIsBoundedAndServedInTheEnd(Placement placement)
    {
        var (server, client) = (LabFixture.Server(placement), LabFixture.Client(placement));
        using var slow = lab.StartListening(server, Port, Program, "slow", Port.ToString(), "8");
        var acceleration = new Acceleration(lab, client, server);
        acceleration.AwaitListener(Port);
        using var first = lab.Hosts.Start(client, Program, "ask", LabFixture.AddressOf(server), Port.ToString(), "20");
        acceleration.AwaitNoListener(Port);

        // The queue is full, and everybody knows: what comes now goes to the kernel's own backlog.
        var before = TcpCounters.Of(lab, client[..2]);
        var plain = BegunOverTheOverlay(client);
        using var second = lab.Hosts.Start(client, Program, "ask", LabFixture.AddressOf(server), Port.ToString(), "12");
        WaitFor.That("12 more over the overlay", s_bound, () => BegunOverTheOverlay(client) == plain + 12, () => $"{BegunOverTheOverlay(client) - plain}");
        Assert.Equal(before.Announced, TcpCounters.Of(lab, client[..2]).Announced);
        slow.Input.WriteLine();
        slow.Input.Flush();
        Assert.Equal("answered 20 refused 0 reset 0 unanswered 0\n", first.Wait(s_bound).Output);
        Assert.Equal("answered 12 refused 0 reset 0 unanswered 0\n", second.Wait(s_bound).Output);
    }

    [Fact]
    public void AListenerThatIsKilledWithAFullQueueResetsIt()
    {
        using var slow = lab.StartListening("h2c1", Port, Program, "slow", Port.ToString(), "8");
        new Acceleration(lab, "h1c1", "h2c1").AwaitListener(Port);
        using var asking = lab.Hosts.Start("h1c1", Program, "ask", LabFixture.AddressOf("h2c1"), Port.ToString(), "9");
        // What the container has been handed and not accepted, its host has, established, at the endpoint.
        var endpoint = TcpCounters.Of(lab, "h2").EndpointPort;
        WaitFor.That("its queue is full", s_bound, () => asking.HasExited
            || lab.Hosts.SocketsIn("h2", "tcp").Count(socket => socket.LocalPort == endpoint && socket.State == KernelSocket.Established) >= 9);
        foreach (var (pid, _) in lab.Hosts.ProcessesIn("h2c1").Where(process => process.Name == "tcp-crowd").ToList())
            LabProcesses.Kill(pid, "KILL");
        Assert.Matches(@"^answered 0 refused 0 reset 9 unanswered 0", asking.Wait(s_bound).Output);
    }

    [Fact]
    [Trait("Tier", "All")]
    public void TwentyThousandAreOpenedAndClosedWithoutALeak()
    {
        var (held, heldThere) = (Descriptors("h1"), Descriptors("h2"));
        var before = TcpCounters.Of(lab, "h1");
        using var holding = lab.StartListening("h2c1", Port, Program, "hold", Port.ToString(), "20000");
        new Acceleration(lab, "h1c1", "h2c1").AwaitListener(Port); // those before would go plain
        using var open = lab.Hosts.Start("h1c1", Program, "open", LabFixture.AddressOf("h2c1"), Port.ToString(), "20000");
        WaitFor.That("20 000 connections begun", s_bound, () => TcpCounters.Of(lab, "h1").Announced - before.Announced >= 19_900,
            () => (TcpCounters.Of(lab, "h1").Announced - before.Announced).ToString());
        WaitFor.That("their actors", s_bound, () => Flows() > 19_000, () => Flows().ToString());
        Assert.Equal("open\n", open.Wait(s_bound).Output);
        Assert.Equal("full\n", holding.Wait(s_bound).Output);
        WaitFor.That("no actor left", s_bound, () => Flows() == 0, () => Flows().ToString());
        WaitFor.That("no descriptor left", s_bound, () => Descriptors("h1") <= held + 5 && Descriptors("h2") <= heldThere + 5,
            () => $"{held} and {heldThere} before, {Descriptors("h1")} and {Descriptors("h2")} now");
    }

    private int Flows() => lab.Status("h1").GetProperty("Actors").GetProperty("Flows").GetInt32();

    private int Descriptors(string host) => Directory.GetFiles($"/proc/{lab.Hosts.Routers.PidOf(host)}/fd").Length;

    /// <summary>The container's own connections to the listener, established or not.</summary>
    private int BegunOverTheOverlay(string container) => lab.Hosts.SocketsIn(container, "tcp")
        .Count(socket => socket.RemotePort == Port && socket.State is KernelSocket.Established or KernelSocket.SynSent);
}
