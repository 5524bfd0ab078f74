using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Memory;

namespace Freeflow.Fuzz.Objects;

/// <summary>A ring as an application maps it, which writes wherever it likes. Its sizes are those of the beginning.</summary>
internal sealed class MappedRing(SharedMemory memory) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly int _elementBytes = 1 << (MemoryMarshal.Read<int>(memory.Span(RingLayout.Log2ElementSize, sizeof(int))) & 15);
    private readonly uint _mask = MemoryMarshal.Read<uint>(memory.Span(RingLayout.IndexMask, sizeof(uint))) & 0xffff;
    private bool _isClosed;

    public uint Mask => _mask;

    public int ElementBytes => _elementBytes;

    public uint Producer
    {
        get => MemoryMarshal.Read<uint>(memory.Span(RingLayout.ProducerIndex, sizeof(uint))) & _mask;
        set => Write(RingLayout.ProducerIndex, value);
    }

    public uint Consumer
    {
        get => MemoryMarshal.Read<uint>(memory.Span(RingLayout.ConsumerIndex, sizeof(uint))) & _mask;
        set => Write(RingLayout.ConsumerIndex, value);
    }

    public uint Next(uint index) => (index + 1) & _mask;

    public Span<byte> Slot(uint index) => memory.Span(RingLayout.Data + ((long)(index & _mask) * _elementBytes), _elementBytes);

    /// <summary>Writes over whatever is there.</summary>
    public void Spoil(int offset, uint value) =>
        Write((int)((uint)offset % (memory.Length - sizeof(uint))) & ~3, value);

    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            memory.Dispose();
        }
    }

    private void Write(int offset, uint value)
    {
        lock (_gate)
        {
            if (!_isClosed)
                Volatile.Write(ref MemoryMarshal.AsRef<uint>(memory.Span(offset, sizeof(uint))), value);
        }
    }
}
