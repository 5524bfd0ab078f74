namespace Freeflow.Verbs.Engine;

/// <summary>Counters since the start. Written by the engine's thread; a reader elsewhere may see them a little late.</summary>
public sealed class EngineStatistics
{
    public long WorkRequests { get; internal set; }

    public long Completions { get; internal set; }

    /// <summary>Payload bytes moved within this router.</summary>
    public long LocalBytes { get; internal set; }

    public long LinkBytesSent { get; internal set; }

    public long LinkBytesReceived { get; internal set; }

    public long RnrNaks { get; internal set; }

    public long Retries { get; internal set; }

    /// <summary>UC and UD messages that were lost on their way or not taken.</summary>
    public long MessagesDropped { get; internal set; }

    /// <summary>Connected QPs that failed because the policy allows their connection no more.</summary>
    public long PolicyEnded { get; internal set; }

    public long Wakeups { get; internal set; }

    /// <summary>From the moment that the engine sees a doorbell to the turn of its QP.</summary>
    internal WaitHistogram DoorbellWaits { get; } = new();

    internal SleepClock Sleep { get; } = new();

    public int QueuePairs { get; internal set; }

    public int MemoryRegions { get; internal set; }

    public int MemoryWindows { get; internal set; }

    public int CompletionQueues { get; internal set; }

    public int Connections { get; internal set; }

    public int Links { get; internal set; }

    /// <summary>Multicast groups that QPs of this router are in.</summary>
    public int Groups { get; internal set; }
}
