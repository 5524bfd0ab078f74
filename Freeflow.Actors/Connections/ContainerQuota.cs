namespace Freeflow.Actors.Connections;

/// <summary>Bounds for one container, all its open devices together, so that it can't use up what the router has for all.</summary>
public sealed record ContainerLimits
{
    public int QueuePairs { get; init; } = 8192;

    public int CompletionQueues { get; init; } = 8192;

    public int SharedReceiveQueues { get; init; } = 4096;

    public int MemoryRegions { get; init; } = 65536;

    public int MemoryWindows { get; init; } = 65536;

    public int ProtectionDomains { get; init; } = 16384;

    public int AddressHandles { get; init; } = 131072;
}

/// <summary>What a container has of its <see cref="ContainerLimits"/>. Shared by its connections' actors.</summary>
public sealed class ContainerQuota(ContainerLimits limits)
{
    public QuotaCount QueuePairs { get; } = new(limits.QueuePairs);

    public QuotaCount CompletionQueues { get; } = new(limits.CompletionQueues);

    public QuotaCount SharedReceiveQueues { get; } = new(limits.SharedReceiveQueues);

    public QuotaCount MemoryRegions { get; } = new(limits.MemoryRegions);

    public QuotaCount MemoryWindows { get; } = new(limits.MemoryWindows);

    public QuotaCount ProtectionDomains { get; } = new(limits.ProtectionDomains);

    public QuotaCount AddressHandles { get; } = new(limits.AddressHandles);
}

/// <summary>A container's objects of one kind. Calls at the same moment may pass the limit by one each.</summary>
public sealed class QuotaCount(int limit)
{
    private int _count;

    public bool HasRoom => Volatile.Read(ref _count) < limit;

    public void Change(int by) => Interlocked.Add(ref _count, by);
}
