using System.Runtime.InteropServices;
using System.Text;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Memory;

/// <summary>
/// A process's /proc/self/mem and /proc/self/maps, as the process itself opened and passed them. A container can pass
/// anything, so both are proven to be what they should be: a FIFO in their place would stop the engine.
/// </summary>
internal sealed unsafe partial class ProcessFiles : IDisposable
{
    private const int GetFlags = 3;
    private const int AccessModeMask = 3;
    private const int ReadWrite = 2;
    private const long ProcMagic = 0x9fa0;

    private readonly SafeFileHandle _memory;
    private readonly SafeFileHandle _maps;
    private byte[] _text = new byte[64 * 1024];

    public ProcessFiles(SafeFileHandle memory, SafeFileHandle maps)
    {
        if (ProcessOf(memory, "/mem", ReadWrite) != ProcessOf(maps, "/maps", 0))
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

    /// <summary>The directory under /proc that the file is in; throws when it is not the file that it should be.</summary>
    private static string ProcessOf(SafeFileHandle file, string name, int access)
    {
        string path;
        Span<byte> status = stackalloc byte[256];
        fixed (byte* buffer = status)
        {
            if (FileSystemOf(file, buffer) < 0 || *(long*)buffer != ProcMagic)
                throw new ArgumentException($"the descriptor for {name} is not of procfs");
            var length = LinkOf($"/proc/self/fd/{file.DangerousGetHandle()}", buffer, status.Length);
            path = length <= 0 ? "" : Encoding.UTF8.GetString(status[..(int)length]);
            if (!path.EndsWith(name, StringComparison.Ordinal))
                throw new ArgumentException($"the descriptor for {name} is another file");
        }

        if ((Control(file, GetFlags, 0) & AccessModeMask) != access)
            throw new ArgumentException($"the descriptor for {name} is opened in the wrong mode");
        return path[..^name.Length];
    }

    [LibraryImport("libc", EntryPoint = "pread64", SetLastError = true)]
    private static partial nint ReadAt(SafeHandle file, byte* into, nint bytes, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite64", SetLastError = true)]
    private static partial nint WriteAt(SafeHandle file, byte* from, nint bytes, long offset);

    [LibraryImport("libc", EntryPoint = "fstatfs", SetLastError = true)]
    private static partial int FileSystemOf(SafeHandle file, byte* status);

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint LinkOf(string path, byte* into, nint bytes);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeHandle file, int command, int argument);
}
