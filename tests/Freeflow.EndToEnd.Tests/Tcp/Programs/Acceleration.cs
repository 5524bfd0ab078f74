using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Tcp.Programs;

/// <summary>
/// Whether the connections from one container to another were accelerated, since this was made: by what the routers
/// counted, and by what went through the client's own interface.
/// </summary>
public sealed class Acceleration(LabFixture lab, string client, string server)
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(20);

    private readonly TcpCounters _clientBefore = TcpCounters.Of(lab, HostOf(client));
    private readonly TcpCounters _serverBefore = TcpCounters.Of(lab, HostOf(server));
    private readonly long _overlayBefore = OverlayBytes(lab, client);

    /// <summary>The routers must have counted at least that many, on either side.</summary>
    /// <param name="connections">How many.</param>
    /// <param name="besides">What else there is to say where they have not.</param>
    public void MustHaveTaken(long connections, Func<string>? besides = null) => WaitFor.That(
        $"{connections} connections from {client} to {server}", s_bound, () => Announced >= connections && Delivered >= connections,
        () => $"""
            {Announced} announced, {Delivered} delivered
            {HostOf(client)}: {Told(client)}
            {HostOf(server)}: {Told(server)}
            {besides?.Invoke()}
            """);

    /// <summary>Waits until the client's router would have connections to that port accelerated: a listener becomes known to others a moment after its program first waits.</summary>
    public void AwaitListener(int port) => AwaitVerdict(port, isAccelerated: true, client);

    /// <summary>The same where several tenants have the addresses of these containers.</summary>
    /// <param name="port">Which the server listens on.</param>
    /// <param name="container">Which has the client's address in that tenant.</param>
    /// <param name="tenant">Which.</param>
    public void AwaitListener(int port, string container, string tenant) => AwaitVerdict(port, isAccelerated: true, container, "--tenant", tenant);

    /// <summary>The same of a listener that is no longer, or whose queue is full.</summary>
    public void AwaitNoListener(int port) => AwaitVerdict(port, isAccelerated: false, client);

    private void AwaitVerdict(int port, bool isAccelerated, string asking, params string[] tenant)
    {
        const int Accelerated = 0, NotSo = 1;

        // A container is known while a program with the library runs there.
        using var program = lab.Hosts.Start(asking, "ibv_asyncwatch");
        ProgramResult? said = null;
        WaitFor.That($"{client} to {server}:{port} {(isAccelerated ? "accelerated" : "plain")}", s_bound, () =>
        {
            said = lab.Hosts.Exec(HostOf(client), s_bound, ["freeflow", "explain", LabFixture.AddressOf(client), $"{LabFixture.AddressOf(server)}:{port}", "--mode", "tcp", .. tenant]);
            return said.ExitCode == (isAccelerated ? Accelerated : NotSo);
        }, () => said!.Everything);
    }

    /// <summary>Of that many bytes that the programs have moved, the overlay must have seen next to nothing.</summary>
    public void MustHaveSparedTheOverlay(long bytes)
    {
        var seen = OverlayBytes(lab, client) - _overlayBefore;
        Assert.True(seen < bytes / 10, $"{seen} of {bytes} bytes went through the interface of {client}");
    }

    private long Announced => TcpCounters.Of(lab, HostOf(client)).Announced - _clientBefore.Announced;

    private long Delivered => TcpCounters.Of(lab, HostOf(server)).Delivered - _serverBefore.Delivered;

    private static string HostOf(string container) => container[..container.IndexOf('c')];

    private string Told(string container) => lab.Status(HostOf(container)).GetProperty("Tcp").GetRawText();

    private static long OverlayBytes(LabFixture lab, string container)
    {
        var pid = File.ReadAllText(lab.Hosts.Paths.NodeFile(container)).Trim();
        var interfaces = File.ReadLines($"/proc/{pid}/net/dev").Select(line => line.Split(':', 2));
        var fields = interfaces.Single(line => line[0].Trim() == "eth0")[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        const int Received = 0, Sent = 8;
        return long.Parse(fields[Received]) + long.Parse(fields[Sent]);
    }
}
