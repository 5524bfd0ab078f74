using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// A change to a QP that the control plane has validated. What is null stays as it is; <see cref="State"/> is the state
/// to be in afterwards. Names and units are those of <c>struct ibv_qp_attr</c>.
/// </summary>
public sealed record QueuePairChange
{
    public required QueuePairState State { get; init; }

    /// <summary>This end's GID, as the address vector's sgid_index names it.</summary>
    public Gid? LocalGid { get; init; }

    public Gid? RemoteGid { get; init; }

    public uint? RemoteQpn { get; init; }

    /// <summary>The peer router that owns <see cref="RemoteGid"/>; -1 is this router.</summary>
    public int? Peer { get; init; }

    public uint? SqPsn { get; init; }

    public uint? RqPsn { get; init; }

    /// <summary>What datagrams to the QP have to carry.</summary>
    public uint? Qkey { get; init; }

    /// <summary>Local ACK timeout: 4.096 µs × 2^value; 0 waits for ever.</summary>
    public byte? Timeout { get; init; }

    public byte? RetryCount { get; init; }

    /// <summary>7 retries for ever.</summary>
    public byte? RnrRetry { get; init; }

    /// <summary>Index into the specification's table of RNR timers (table 45).</summary>
    public byte? MinRnrTimer { get; init; }

    public byte? MaxReadAtomic { get; init; }

    public byte? MaxDestReadAtomic { get; init; }

    public AccessFlags? Access { get; init; }

    /// <summary>Report <see cref="IEngineEvents.SendQueueDrained"/> when a change to SQD has taken effect.</summary>
    public bool NotifyDrained { get; init; }
}
