using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// What a container's QPs have done since it is known. All its open devices share one. Written by the engine's thread alone, read by any:
/// each figure is right, all together nearly.
/// </summary>
public sealed class ContainerTally
{
    private readonly long[] _completions = new long[(int)WorkCompletionStatus.GeneralError + 1];

    /// <summary>Messages of its send queues that were carried out; READs and atomics are what it has asked for.</summary>
    public long MessagesSent { get; internal set; }

    /// <summary>Payload that has left its memory: its sends and writes, and what READs of its peers were answered with.</summary>
    public long BytesSent { get; internal set; }

    /// <summary>Messages of its peers that were placed in its memory.</summary>
    public long MessagesReceived { get; internal set; }

    /// <summary>Payload placed in its memory: by its peers' sends and writes, and by its own READs.</summary>
    public long BytesReceived { get; internal set; }

    /// <summary>Requests of its QPs that were sent again.</summary>
    public long Retries { get; internal set; }

    /// <summary>Messages that found no receive posted at its QPs.</summary>
    public long RnrNaks { get; internal set; }

    /// <summary>Completions with that status.</summary>
    public long CompletionsWith(WorkCompletionStatus status) => Volatile.Read(ref _completions[(int)status]);

    internal void Completed(WorkCompletionStatus status) => _completions[(int)status]++;

    /// <summary>A work request has been carried out.</summary>
    internal void Sent(in SendOperation operation)
    {
        if (operation.IsLocal)
            return;
        MessagesSent++;
        if (operation.AwaitsData)
            BytesReceived += operation.Length;
        else
            BytesSent += operation.Length;
    }

    internal void Received(uint bytes)
    {
        MessagesReceived++;
        BytesReceived += bytes;
    }
}
