using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;

namespace Freeflow.Verbs.Tests.Memory;

public sealed class ProcessMemoryReachesWhatIsMapped
{
    [Fact]
    public void BytesComeOutAndGoIn()
    {
        using var process = OwnMemory();
        var bytes = GC.AllocateArray<byte>(10_000, pinned: true);
        Random.Shared.NextBytes(bytes);
        using var region = process.Register(AddressOf(bytes), (ulong)bytes.Length, write: true);
        var copy = new byte[5000];
        Assert.Equal(0, region.CopyTo(AddressOf(bytes) + 3000, copy));
        Assert.Equal(bytes[3000..8000], copy);
        Assert.Equal(0, region.CopyFrom(AddressOf(bytes), [1, 2, 3]));
        Assert.Equal([1, 2, 3], bytes[..3]);
    }

    [Fact]
    public void OutsideTheRegionIsEfault()
    {
        using var process = OwnMemory();
        var bytes = GC.AllocateArray<byte>(4096, pinned: true);
        using var region = process.Register(AddressOf(bytes), 4096, write: true);
        Assert.Equal(Errno.EFAULT, region.CopyTo(AddressOf(bytes) + 4090, new byte[7]));
        Assert.Equal(Errno.EFAULT, region.CopyTo(AddressOf(bytes) - 1, new byte[1]));
        Assert.Equal(Errno.EFAULT, region.CopyFrom(ulong.MaxValue, new byte[1]));
    }

    [Theory]
    [InlineData(0x1000UL, 4096UL)]
    [InlineData(0xffff_ffff_ffff_f000UL, 8192UL)]
    public void WhatIsNotMappedCanNotBeRegistered(ulong address, ulong length)
    {
        using var process = OwnMemory();
        Assert.Throws<MemoryAccessException>(() => process.Register(address, length, write: false));
    }

    [Fact]
    public void DescriptorsThatAreSomethingElseAreRefused()
    {
        var null1 = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite);
        var null2 = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite);
        Assert.Throws<ArgumentException>(() => new ProcessMemory(null1, null2));
        Assert.Throws<ArgumentException>(() => new ProcessMemory(Maps(), Mem()));
    }

    [Fact]
    public void TwoProcessesFilesAreRefused()
    {
        using var other = System.Diagnostics.Process.Start("sleep", "30");
        try
        {
            var maps = File.OpenHandle($"/proc/{other.Id}/maps");
            Assert.Throws<ArgumentException>(() => new ProcessMemory(Mem(), maps));
        }
        finally
        {
            other.Kill();
        }
    }

    private static ProcessMemory OwnMemory() => new(Mem(), Maps());

    private static Microsoft.Win32.SafeHandles.SafeFileHandle Mem() => File.OpenHandle("/proc/self/mem", FileMode.Open, FileAccess.ReadWrite);

    private static Microsoft.Win32.SafeHandles.SafeFileHandle Maps() => File.OpenHandle("/proc/self/maps");

    private static ulong AddressOf(byte[] pinned) => (ulong)Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
}
