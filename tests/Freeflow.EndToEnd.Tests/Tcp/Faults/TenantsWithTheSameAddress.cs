using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tcp.Faults;

/// <summary>
/// Two tenants, told apart by the bridges of the hosts (hocon/lab.conf), with the same addresses. The other tenant has no overlay of its
/// own here: what reaches it has been accelerated.
/// </summary>
public sealed class TenantsWithTheSameAddress(LabFixture lab) : IClassFixture<LabFixture>
{
    private const int Port = 18860;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    [Fact]
    public void ReachTheirOwnOnly()
    {
        // A container that is known keeps its tenant.
        MustBeForgotten();
        try
        {
            Move("h1", "h1c3", "10.244.1.12/24");
            Move("h2", "h2c3", "10.244.2.12/24");
            using var ours = Serve("h1c2", "default");
            using var theirs = Serve("h1c3", "blue");
            var acceleration = new Acceleration(lab, "h2c2", "h1c2");
            acceleration.AwaitListener(Port, "h2c2", "default");
            acceleration.AwaitListener(Port, "h2c3", "blue");
            var before = TcpCounters.Of(lab, "h2");
            Assert.Equal("default", Ask("h2c2"));
            Assert.Equal("blue", Ask("h2c3"));
            Assert.Equal(2, TcpCounters.Of(lab, "h2").Announced - before.Announced);
        }
        finally
        {
            Back("h1", "h1c3", 1);
            Back("h2", "h2c3", 2);
            MustBeForgotten();
        }
    }

    private void MustBeForgotten() => WaitFor.That(
        "no container known", LabFixture.UntilForgotten, () => Known("h1") + Known("h2") == "", () => $"{Known("h1")}, {Known("h2")}; h1 holds {Held("h1")}, h2 {Held("h2")}");

    private string Known(string host) =>
        string.Join(' ', lab.Status(host).GetProperty("Addresses").EnumerateObject().Select(address => $"{address.Name} of {address.Value}"));

    private string Held(string host) => $"{lab.Status(host).GetProperty("Actors").GetRawText()} {lab.Status(host).GetProperty("Tcp").GetRawText()}";

    private BackgroundProgram Serve(string container, string answer) => lab.StartListening(container, Port, "python3", "-c", $$"""
        import socket
        listener = socket.create_server(("0.0.0.0", {{Port}}))
        while True:
            peer, _ = listener.accept(); peer.sendall(b"{{answer}}"); peer.close()
        """);

    private string Ask(string container)
    {
        var result = lab.Hosts.Exec(container, s_bound, "env", "FREEFLOW_LOG=debug", "python3", "-c", $$"""
            import socket
            print(socket.create_connection(("10.244.1.12", {{Port}}), 5).recv(100).decode(), end="")
            """);
        Assert.True(result.ExitCode == 0, result.Everything);
        return result.Output;
    }

    private void Move(string host, string container, string address)
    {
        Must(host, $"ip link add br-blue type bridge && ip link set br-blue up && ip link set ff-c3 master br-blue");
        Must(container, $"ip address flush dev eth0 && ip address add {address} dev eth0 && ip route add default via {address[..address.LastIndexOf('.')]}.1");
    }

    private void Back(string host, string container, int number)
    {
        // Each step of its own: whatever Move has done comes back.
        Must(host, "ip link set ff-c3 master cni0; ip link del br-blue");
        Must(container, $"ip address flush dev eth0; ip address add {LabLayout.OverlayAddress(number, 3)}/24 dev eth0; ip route add default via {LabLayout.OverlayGateway(number)}");
    }

    private void Must(string node, string script)
    {
        var result = lab.Hosts.ExecPrivileged(node, s_bound, "sh", "-c", script);
        Assert.True(result.ExitCode == 0, result.Everything);
    }
}
