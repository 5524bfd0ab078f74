namespace Freeflow.Verbs.Model.Device;

/// <summary>A posted send work request.</summary>
public sealed record SendRequest(int Id, Operation Operation, IReadOnlyList<Part> Parts)
{
    public bool IsSignaled { get; init; } = true;

    /// <summary>The bytes at the time of posting, where they go inline.</summary>
    public byte[]? Inline { get; init; }

    /// <summary>Where in the peer's memory.</summary>
    public Part? Remote { get; init; }

    public uint Immediate { get; init; }

    /// <summary>What is to be bound.</summary>
    public Binding? Binding { get; init; }

    /// <summary>Whose key is to be invalidated.</summary>
    public Part? Invalidated { get; init; }

    public uint Compare { get; init; }

    public uint Swap { get; init; }

    /// <summary>A datagram's receiver, and the Q_Key that is shown to it.</summary>
    public QueuePair? To { get; init; }

    public uint Qkey { get; init; }

    public long Length => Parts.Sum(part => (long)part.Length);
}
