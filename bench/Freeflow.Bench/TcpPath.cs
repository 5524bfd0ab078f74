namespace Freeflow.Bench;

/// <summary>A kind of path at one place: across hosts or within one.</summary>
public sealed record TcpPath(string Where, TcpKind Kind, string ServerNode, string ClientNode, string ServerAddress)
{
    public const string Across = "across hosts";
    public const string Within = "within a host";

    public static IReadOnlyList<string> Places { get; } = [Across, Within];

    /// <summary>On the overlay and with Freeflow between the same containers; within a host, the host's own two programs have its address.</summary>
    public static IReadOnlyList<TcpPath> All { get; } =
    [
        new(Across, TcpKind.HostToHost, "h2", "h1", "192.168.50.2"),
        new(Across, TcpKind.Overlay, "h2c1", "h1c1", "10.244.2.11"),
        new(Across, TcpKind.Freeflow, "h2c1", "h1c1", "10.244.2.11"),
        new(Within, TcpKind.HostToHost, "h1", "h1", "192.168.50.1"),
        new(Within, TcpKind.Overlay, "h1c1", "h1c2", "10.244.1.11"),
        new(Within, TcpKind.Freeflow, "h1c1", "h1c2", "10.244.1.11"),
    ];

    /// <summary>Each kind has ports of its own: two of them have the same container for their server.</summary>
    public int Port(TcpService service) => (int)service + (int)Kind;

    /// <summary>The command as it is to run: `lab exec` gives the preload to whatever runs in a container.</summary>
    public string[] Command(params string[] command) =>
        Kind == TcpKind.Overlay ? ["env", "-u", "LD_PRELOAD", "-u", "VNET_PREFIX", .. command] : command;
}
