using Freeflow.Verbs.Model.Device;

namespace Freeflow.Verbs.Model.Sequences;

/// <summary>Two QPs that are connected to each other, or are to be, one at each side; for datagrams with handles that lead to the other.</summary>
public sealed record PairLink(QueuePair A, QueuePair B)
{
    /// <summary>Below it is sent from; above it is received into, and what is fetched is put.</summary>
    public const int Half = 8192;

    public required Region MemoryA { get; init; }

    public required Region MemoryB { get; init; }

    public bool IsUp => A.State == PairState.Rts && B.State == PairState.Rts;

    public QueuePair Other(QueuePair qp) => qp == A ? B : A;

    public Region MemoryOf(QueuePair qp) => qp == A ? MemoryA : MemoryB;
}
