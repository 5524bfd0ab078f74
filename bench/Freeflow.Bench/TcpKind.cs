namespace Freeflow.Bench;

/// <summary>What carries a TCP connection.</summary>
public enum TcpKind
{
    /// <summary>The underlay, between programs outside of containers: what there is to win.</summary>
    HostToHost,

    /// <summary>The overlay, between containers: what they have without Freeflow.</summary>
    Overlay,

    /// <summary>Between containers with the preload.</summary>
    Freeflow,
}
