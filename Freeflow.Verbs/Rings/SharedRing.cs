using System.Numerics;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Memory;

namespace Freeflow.Verbs.Rings;

/// <summary>
/// A work or completion queue that an application and the engine share (<c>struct rxe_queue_buf</c>,
/// rdma/rdma_user_rxe.h): a head with two indices, then a power of two of slots of equal size.
/// </summary>
/// <remarks>
/// The application can write anything anywhere in it at any time. So the sizes used here are the router's own, an index
/// read from the ring is masked before it is used, and the index that the engine moves is kept privately by the engine
/// and only published here. What is read from a slot must be copied before it is checked.
/// </remarks>
public sealed class SharedRing : IDisposable
{
    private const int MinimumElementBytes = 64;

    private readonly int _log2ElementBytes;
    private readonly RingLedger? _ledger;
    private readonly long _counted;
    private int _disposed;

    private SharedRing(SharedMemory memory, int slots, int elementBytes, RingLedger? ledger, long counted)
    {
        Memory = memory;
        _ledger = ledger;
        _counted = counted;
        Mask = (uint)slots - 1;
        ElementBytes = elementBytes;
        _log2ElementBytes = BitOperations.Log2((uint)elementBytes);
        MemoryMarshal.Write(memory.Span(RingLayout.Log2ElementSize, sizeof(uint)), (uint)_log2ElementBytes);
        MemoryMarshal.Write(memory.Span(RingLayout.IndexMask, sizeof(uint)), Mask);
    }

    /// <summary>The memory that the application maps.</summary>
    public SharedMemory Memory { get; }

    /// <summary>Bytes to map.</summary>
    public int Bytes => checked((int)Memory.Length);

    /// <summary>Bytes of one slot, a power of two.</summary>
    public int ElementBytes { get; }

    /// <summary>How many elements fit: one slot always stays empty.</summary>
    public int Capacity => (int)Mask;

    /// <summary>Slots minus one.</summary>
    public uint Mask { get; }

    /// <summary>The producer's index, in [0, <see cref="Mask"/>].</summary>
    public uint Producer
    {
        get => Volatile.Read(ref Index(RingLayout.ProducerIndex)) & Mask;
        set => Volatile.Write(ref Index(RingLayout.ProducerIndex), value & Mask);
    }

    /// <summary>The consumer's index, in [0, <see cref="Mask"/>].</summary>
    public uint Consumer
    {
        get => Volatile.Read(ref Index(RingLayout.ConsumerIndex)) & Mask;
        set => Volatile.Write(ref Index(RingLayout.ConsumerIndex), value & Mask);
    }

    /// <summary>
    /// Makes a ring for at least <paramref name="elements"/> elements of at least <paramref name="elementBytes"/>. In a ledger it
    /// counts with its own bytes and the <paramref name="beside"/> that the engine keeps for each slot. Throws Win32Exception
    /// (ENOMEM, EMFILE).
    /// </summary>
    public static SharedRing Create(string name, int elements, int elementBytes, RingLedger? ledger = null, int beside = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elements);
        ArgumentOutOfRangeException.ThrowIfLessThan(elementBytes, 1);
        var slots = (int)BitOperations.RoundUpToPowerOf2((uint)elements + 1);
        var element = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(elementBytes, MinimumElementBytes));
        var bytes = RingLayout.Data + ((long)slots * element);
        bytes = (bytes + Environment.SystemPageSize - 1) / Environment.SystemPageSize * Environment.SystemPageSize;
        var counted = bytes + ((long)slots * beside);
        ledger?.Take(counted);
        SharedMemory memory;
        try
        {
            memory = SharedMemory.Create(name, bytes);
        }
        catch
        {
            ledger?.Return(counted);
            throw;
        }

        var ring = new SharedRing(memory, slots, element, ledger, counted);
        ledger?.Enter(ring);
        return ring;
    }

    /// <summary>The bytes of a slot; any index is masked into range.</summary>
    public Span<byte> Slot(uint index) =>
        Memory.Span(RingLayout.Data + ((long)(index & Mask) << _log2ElementBytes), ElementBytes);

    public uint Next(uint index) => (index + 1) & Mask;

    /// <summary>How many elements lie from <paramref name="from"/> up to <paramref name="to"/>.</summary>
    public uint Distance(uint from, uint to) => (to - from) & Mask;

    /// <summary>Empties the ring, as the kernel does when a QP returns to RESET.</summary>
    public void Clear()
    {
        Producer = 0;
        Consumer = 0;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        Memory.Dispose();
        _ledger?.Strike(this);
        _ledger?.Return(_counted);
    }

    private ref uint Index(int offset) => ref MemoryMarshal.AsRef<uint>(Memory.Span(offset, sizeof(uint)));
}
