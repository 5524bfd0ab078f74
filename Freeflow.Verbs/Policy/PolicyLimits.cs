namespace Freeflow.Verbs.Policy;

/// <summary>Bounds for a container, or for all of a tenant's containers on this host together. Null: none.</summary>
public sealed record PolicyLimits
{
    public static PolicyLimits None { get; } = new();

    /// <summary>Bytes a second that leave: of RDMA all together, and of TCP all together.</summary>
    public long? Bandwidth { get; init; }

    /// <summary>RDMA work requests a second.</summary>
    public long? MessagesPerSecond { get; init; }

    public int? QueuePairs { get; init; }

    public int? MemoryRegions { get; init; }

    public long? RegisteredBytes { get; init; }

    /// <summary>Accelerated TCP connections that were begun and live.</summary>
    public int? Connections { get; init; }

    public bool AreNone => this == None;

    /// <summary>What is not said here is as there.</summary>
    public PolicyLimits Over(PolicyLimits below) => new()
    {
        Bandwidth = Bandwidth ?? below.Bandwidth,
        MessagesPerSecond = MessagesPerSecond ?? below.MessagesPerSecond,
        QueuePairs = QueuePairs ?? below.QueuePairs,
        MemoryRegions = MemoryRegions ?? below.MemoryRegions,
        RegisteredBytes = RegisteredBytes ?? below.RegisteredBytes,
        Connections = Connections ?? below.Connections,
    };
}
