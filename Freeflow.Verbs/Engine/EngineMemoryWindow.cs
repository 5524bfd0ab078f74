using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// A memory window: a key of its own for a part of a memory region, given out and taken back by work requests
/// (InfiniBand specification, 10.6.7). Everything but the constructor runs on the engine's thread.
/// </summary>
/// <param name="connection">Whose it is.</param>
/// <param name="key">The first key. Its upper 24 bits are the window's own, the lower eight change with every binding.</param>
/// <param name="protectionDomain">Router-wide number of the PD.</param>
/// <param name="type">Type 1 can be bound again at any time; type 2 (2B) belongs to the QP that bound it until it is invalidated.</param>
public sealed class EngineMemoryWindow(EngineConnection connection, uint key, uint protectionDomain, MemoryWindowType type)
{
    public EngineConnection Connection { get; } = connection;

    public uint ProtectionDomain { get; } = protectionDomain;

    public MemoryWindowType Type { get; } = type;

    internal uint Key { get; private set; } = key;

    /// <summary>What it opens on; null while it is not bound.</summary>
    internal EngineMemoryRegion? Region { get; private set; }

    internal EngineQueuePair? QueuePair { get; private set; }

    private ulong Address { get; set; }

    private ulong Length { get; set; }

    private AccessFlags Access { get; set; }

    /// <summary>Binds to [address, address + length) of a region; to nothing without one. The caller has checked that it may.</summary>
    internal void Bind(EngineQueuePair queuePair, EngineMemoryRegion? region, uint newKey, ulong address, ulong length, AccessFlags access)
    {
        Unbind();
        Key = (Key & ~0xffu) | (newKey & 0xff);
        (Address, Length, Access) = (address, length, access);
        if (region is null)
            return;
        Region = region;
        region.Windows++;
        QueuePair = Type == MemoryWindowType.Type2 ? queuePair : null;
    }

    internal void Unbind()
    {
        if (Region is not null)
            Region.Windows--;
        (Region, QueuePair, Length) = (null, null, 0);
    }

    /// <summary>
    /// The region behind it, if a peer of this QP may reach this range through it; <paramref name="address"/> becomes one of
    /// the region's.
    /// </summary>
    internal EngineMemoryRegion? Open(EngineQueuePair queuePair, ref ulong address, ulong length, AccessFlags access)
    {
        if (Region is null || ProtectionDomain != queuePair.ProtectionDomain || (Access & access) != access
            || (Type == MemoryWindowType.Type2 && QueuePair != queuePair))
            return null;
        var offset = (Access & AccessFlags.ZeroBased) != 0 ? address : address - Address;
        if (length > Length || offset > Length - length)
            return null;
        address = Address + offset;
        return Region.Covers(address, length) ? Region : null;
    }
}
