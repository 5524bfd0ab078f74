namespace Freeflow.Bench;

/// <summary>A way from one node of the lab to another.</summary>
public sealed record BenchPath(string Name, string ServerNode, string ClientNode, string ServerAddress)
{
    public static BenchPath SameHost { get; } = new("same host", "h1c1", "h1c2", "10.244.1.11");

    public static BenchPath Across { get; } = new("across hosts", "h2c1", "h1c1", "10.244.2.11");

    /// <summary>The underlay itself: what a program without containers has.</summary>
    public static BenchPath HostToHost { get; } = new("host to host", "h2", "h1", "192.168.50.2");
}
