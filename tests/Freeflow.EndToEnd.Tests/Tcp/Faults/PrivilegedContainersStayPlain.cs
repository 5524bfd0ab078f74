using Freeflow.EndToEnd.Tests.Tcp.Programs;

namespace Freeflow.EndToEnd.Tests.Tcp.Faults;

/// <summary>With CAP_NET_ADMIN over the host's network any host socket would do to change its interfaces.</summary>
public sealed class PrivilegedContainersStayPlain(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 18820;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    [Fact]
    public void AndTheReasonIsSaid()
    {
        using var server = lab.StartListening("h2c1", Port, LabFixture.TestProgram("tcp-crowd"), "answer", Port.ToString());
        new Acceleration(lab, "h1c1", "h2c1").AwaitListener(Port);
        var before = TcpCounters.Of(lab, "h1");
        // Its container is distrusted for as long as the router knows it, so it is one that other tests do not need.
        var result = lab.Hosts.ExecPrivileged(
            "h1c3", s_bound, "env", "FREEFLOW_LOG=debug", LabFixture.TestProgram("tcp-crowd"), "ask", LabFixture.AddressOf("h2c1"), Port.ToString(), "3");
        Assert.Equal("answered 3 refused 0 reset 0 unanswered 0\n", result.Output);
        Assert.Contains("is plain: the container has CAP_NET_ADMIN", result.Errors);
        Assert.Equal(before.Announced, TcpCounters.Of(lab, "h1").Announced);
        Assert.Contains("gets no host sockets: it has CAP_NET_ADMIN over the host's network", lab.RouterLog("h1"));
    }
}
