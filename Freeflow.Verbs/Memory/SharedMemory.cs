using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Memory;

/// <summary>
/// Memory that the router makes and a container maps: a memfd, sealed against resizing, since a container that shrank it
/// would end the router with SIGBUS. Mapped here, readable and writable, until it is disposed.
/// </summary>
public sealed unsafe partial class SharedMemory : IDisposable
{
    private const uint CloseOnExec = 1;
    private const uint AllowSealing = 2;
    private const int AddSeals = 1033;
    private const int SealAgainstResizing = 0x1 | 0x2 | 0x4;
    private const int SealAgainstFurtherWriters = 0x10; // from Linux 5.1 on
    private const int ReadWrite = 3;
    private const int Shared = 1;
    private const int Populate = 0x8000;

    // Larger regions are populated as they are touched, so that registering them stays quick.
    private const long PopulateUpTo = 64L << 20;

    private byte* _start;

    private SharedMemory(SafeFileHandle handle, byte* start, long length, ulong inode)
    {
        Handle = handle;
        _start = start;
        Length = length;
        Inode = inode;
    }

    public SafeFileHandle Handle { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>By which a mapping is recognised in /proc/PID/maps.</summary>
    public ulong Inode { get; }

    /// <summary>
    /// Makes zeroed memory; throws Win32Exception (ENOMEM, EMFILE). With <paramref name="onlyOursToWrite"/> others can map it for
    /// reading only, where the kernel has a seal for that.
    /// </summary>
    public static SharedMemory Create(string name, long bytes, bool onlyOursToWrite = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        var descriptor = MemoryFile(name, CloseOnExec | AllowSealing);
        if (descriptor < 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "memfd_create");
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            if (Resize(handle, bytes) < 0 || Control(handle, AddSeals, SealAgainstResizing) < 0)
                throw new Win32Exception(Marshal.GetLastPInvokeError(), "sealing a memfd");
            var memory = Of(handle, bytes);
            if (onlyOursToWrite)
                _ = Control(handle, AddSeals, SealAgainstFurtherWriters);
            return memory;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Maps what <paramref name="handle"/> stands for, which is taken over; throws Win32Exception.</summary>
    public static SharedMemory Of(SafeFileHandle handle, long bytes)
    {
        var start = Map(0, (nuint)bytes, ReadWrite, Shared | (bytes <= PopulateUpTo ? Populate : 0), handle, 0);
        return start == -1
            ? throw new Win32Exception(Marshal.GetLastPInvokeError(), "mmap")
            : new SharedMemory(handle, (byte*)start, bytes, FileIdentity.Of(handle).Inode);
    }

    /// <summary>The bytes [offset, offset + length), which do not move.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Span(long offset, int length)
    {
        if (_start == null || (ulong)offset > (ulong)Length || (ulong)length > (ulong)(Length - offset))
            ThrowOutOfRange();
        return new Span<byte>(_start + offset, length);
    }

    /// <summary>Unmaps and closes. What a container has mapped stays with it.</summary>
    public void Dispose()
    {
        if (_start != null)
            _ = Unmap((nint)_start, (nuint)Length);
        _start = null;
        Handle.Dispose();
    }

    private static void ThrowOutOfRange() => throw new ArgumentOutOfRangeException(nameof(Span), "outside the shared memory");

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int Resize(SafeHandle descriptor, long bytes);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeHandle descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, SafeHandle descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);
}
