namespace Freeflow.Actors.Inspection;

/// <summary>How many objects a process or a container has; RegisteredBytes is the sum of its MRs' lengths.</summary>
public sealed record ObjectCounts(
    int QueuePairs, int CompletionQueues, int MemoryRegions, int MemoryWindows, int SharedReceiveQueues, int ProtectionDomains, int AddressHandles, long RegisteredBytes)
{
    public static ObjectCounts None { get; } = new(0, 0, 0, 0, 0, 0, 0, 0);

    public ObjectCounts Plus(ObjectCounts other) => new(
        QueuePairs + other.QueuePairs,
        CompletionQueues + other.CompletionQueues,
        MemoryRegions + other.MemoryRegions,
        MemoryWindows + other.MemoryWindows,
        SharedReceiveQueues + other.SharedReceiveQueues,
        ProtectionDomains + other.ProtectionDomains,
        AddressHandles + other.AddressHandles,
        RegisteredBytes + other.RegisteredBytes);
}
