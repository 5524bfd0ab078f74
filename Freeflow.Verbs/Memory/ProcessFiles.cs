using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Memory;

/// <summary>
/// A process's /proc/self/mem and /proc/self/maps, as the process itself opened and passed them.
/// </summary>
internal sealed unsafe partial class ProcessFiles : IDisposable
{
    private readonly SafeFileHandle _memory;
    private readonly SafeFileHandle _maps;
    private byte[] _text = new byte[64 * 1024];

    public ProcessFiles(SafeFileHandle memory, SafeFileHandle maps)
    {
        if (ProcFile.ProcessOf(memory, "/mem", ProcFile.ReadWrite) != ProcFile.ProcessOf(maps, "/maps", ProcFile.ReadOnly))
            throw new ArgumentException("the descriptors for /mem and /maps are of two processes");
        _memory = memory;
        _maps = maps;
    }

    /// <summary>Copies from the process; 0 or EFAULT, also when it has exited.</summary>
    public int Read(ulong address, Span<byte> into)
    {
        fixed (byte* start = into)
        {
            for (nint done = 0; done < into.Length;)
            {
                var got = ReadAt(_memory, start + done, into.Length - done, (long)address + done);
                if (got <= 0)
                    return Errno.EFAULT;
                done += got;
            }
        }

        return 0;
    }

    /// <summary>Copies to the process; 0 or EFAULT, also when it has exited.</summary>
    public int Write(ulong address, ReadOnlySpan<byte> from)
    {
        fixed (byte* start = from)
        {
            for (nint done = 0; done < from.Length;)
            {
                var put = WriteAt(_memory, start + done, from.Length - done, (long)address + done);
                if (put <= 0)
                    return Errno.EFAULT;
                done += put;
            }
        }

        return 0;
    }

    /// <summary>What is mapped now, by address.</summary>
    public List<MemoryMapping> Mappings()
    {
        var mappings = new List<MemoryMapping>(64);
        var have = 0;
        while (true)
        {
            nint got;
            fixed (byte* start = _text)
                got = ReadAt(_maps, start + have, _text.Length - have, have);
            if (got <= 0)
                break;
            have += (int)got;
            if (have == _text.Length)
                Array.Resize(ref _text, have * 2);
        }

        var rest = _text.AsSpan(0, have);
        for (var end = rest.IndexOf((byte)'\n'); end >= 0; end = rest.IndexOf((byte)'\n'))
        {
            if (MemoryMapping.TryParse(rest[..end], out var mapping))
                mappings.Add(mapping);
            rest = rest[(end + 1)..];
        }

        return mappings;
    }

    public void Dispose()
    {
        _memory.Dispose();
        _maps.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "pread64", SetLastError = true)]
    private static partial nint ReadAt(SafeHandle file, byte* into, nint bytes, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite64", SetLastError = true)]
    private static partial nint WriteAt(SafeHandle file, byte* from, nint bytes, long offset);
}
