using Freeflow.Actors.Policy;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Memory;

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

    public int MulticastAttachments { get; init; } = 4096;

    public int CompletionChannels { get; init; } = 16384;

    public long RegisteredBytes { get; init; } = 256L << 30;

    /// <summary>Of the rings of QPs, CQs and SRQs, and of what the engine keeps for their slots: the router's own memory.</summary>
    public long QueueBytes { get; init; } = 4L << 30;

    /// <summary>Beyond which a process's memory is copied.</summary>
    public long SharedBytes { get; init; } = 32L << 30;
}

/// <summary>
/// What a container has of its <see cref="ContainerLimits"/>, and of what the policy gives it and its tenant. Shared by its connections'
/// actors.
/// </summary>
public sealed class ContainerQuota
{
    private volatile PolicyBounds _bounds = PolicyBounds.None;

    public ContainerQuota(ContainerLimits limits)
    {
        QueuePairs = new(limits.QueuePairs, count => _bounds.AdmitQueuePair(count));
        CompletionQueues = new(limits.CompletionQueues);
        SharedReceiveQueues = new(limits.SharedReceiveQueues);
        MemoryRegions = new(limits.MemoryRegions, count => _bounds.AdmitMemoryRegion(count));
        MemoryWindows = new(limits.MemoryWindows);
        ProtectionDomains = new(limits.ProtectionDomains);
        AddressHandles = new(limits.AddressHandles);
        MulticastAttachments = new(limits.MulticastAttachments);
        CompletionChannels = new(limits.CompletionChannels);
        RegisteredBytes = new(limits.RegisteredBytes);
        QueueBytes = new(limits.QueueBytes);
        SharedBytes = new(limits.SharedBytes);
    }

    /// <summary>How fast it may send.</summary>
    public ContainerRates Rates { get; } = new();

    /// <summary>What its QPs have done, as the engine counts it.</summary>
    public ContainerTally Tally { get; } = new();

    /// <summary>What the policy says now; what a container has beyond that it keeps. Any thread may set it.</summary>
    public PolicyBounds Bounds
    {
        get => _bounds;
        set => _bounds = value;
    }

    public QuotaCount QueuePairs { get; }

    public QuotaCount CompletionQueues { get; }

    public QuotaCount SharedReceiveQueues { get; }

    public QuotaCount MemoryRegions { get; }

    public QuotaCount MemoryWindows { get; }

    public QuotaCount ProtectionDomains { get; }

    public QuotaCount AddressHandles { get; }

    public QuotaCount MulticastAttachments { get; }

    public ContainerChannels CompletionChannels { get; }

    public ByteBudget RegisteredBytes { get; }

    public ByteBudget QueueBytes { get; }

    public ByteBudget SharedBytes { get; }

    /// <summary>Takes bytes for a region; false when the container or its tenant has as many as it may.</summary>
    public bool TryRegister(long bytes)
    {
        if (!RegisteredBytes.TryTake(bytes))
            return false;
        if (_bounds.AdmitRegisteredBytes(RegisteredBytes.Taken))
            return true;
        RegisteredBytes.Return(bytes);
        return false;
    }
}

/// <summary>A container's objects of one kind. Calls at the same moment may pass the limit by one each.</summary>
/// <param name="limit">How many there may be.</param>
/// <param name="admits">Whether there may be another one beside so many, where more than the limit decides that.</param>
public sealed class QuotaCount(int limit, Func<int, bool>? admits = null)
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public bool HasRoom => Count is var count && count < limit && admits?.Invoke(count) != false;

    public void Change(int by) => Interlocked.Add(ref _count, by);
}
