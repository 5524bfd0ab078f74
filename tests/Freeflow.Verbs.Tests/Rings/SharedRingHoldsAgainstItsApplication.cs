using System.Runtime.InteropServices;
using CsCheck;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Rings;

namespace Freeflow.Verbs.Tests.Rings;

public sealed class SharedRingHoldsAgainstItsApplication
{
    [Theory]
    [InlineData(1, 1, 2, 64)]
    [InlineData(64, 208, 128, 256)]
    [InlineData(100, 64, 128, 64)]
    public void SizesAreRoundedUpAsTheDriverRoundsThem(int elements, int bytes, int slots, int elementBytes)
    {
        using var ring = SharedRing.Create("test", elements, bytes);
        Assert.Equal((uint)slots - 1, ring.Mask);
        Assert.Equal(elementBytes, ring.ElementBytes);
        Assert.True(ring.Capacity >= elements);
        Assert.Equal(0, ring.Bytes % Environment.SystemPageSize);
    }

    [Fact]
    public void AnyIndexThatTheApplicationWritesIsMaskedIntoRange()
    {
        using var ring = SharedRing.Create("test", 32, 64);
        Gen.UInt.Sample(index =>
        {
            MemoryMarshal.Write(ring.Memory.Span(RingLayout.ProducerIndex, 4), index);
            MemoryMarshal.Write(ring.Memory.Span(RingLayout.ConsumerIndex, 4), ~index);
            return ring.Producer <= ring.Mask && ring.Consumer <= ring.Mask && ring.Slot(index).Length == ring.ElementBytes;
        });
    }

    [Fact]
    public void SizesThatTheApplicationWritesAreNotBelieved()
    {
        using var ring = SharedRing.Create("test", 32, 64);
        MemoryMarshal.Write(ring.Memory.Span(RingLayout.IndexMask, 4), uint.MaxValue);
        MemoryMarshal.Write(ring.Memory.Span(RingLayout.Log2ElementSize, 4), 30u);
        Assert.Equal(63u, ring.Mask);
        Assert.Equal(64, ring.Slot(uint.MaxValue).Length);
    }

    [Fact]
    public void ItsFileCanNeitherShrinkNorGrow()
    {
        using var ring = SharedRing.Create("test", 32, 64);
        using var file = new FileStream($"/proc/self/fd/{ring.Memory.Handle.DangerousGetHandle()}", FileMode.Open, FileAccess.ReadWrite);
        Assert.ThrowsAny<Exception>(() => file.SetLength(0));
        Assert.ThrowsAny<Exception>(() => file.SetLength(ring.Bytes * 2));
        Assert.Equal(ring.Bytes, file.Length);
    }
}
