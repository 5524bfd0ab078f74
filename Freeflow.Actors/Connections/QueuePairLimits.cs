namespace Freeflow.Actors.Connections;

/// <summary>What QUERY_DEVICE promises of each QP and CQ.</summary>
public static class QueuePairLimits
{
    public const uint MaximumWorkRequests = 16384;
    public const uint MaximumSges = 32;
    public const uint MaximumInline = 512;
    public const uint MaximumCompletions = 1 << 20;
    public const uint MaximumReadAtomic = 128;
}
