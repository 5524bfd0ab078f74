using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Memory;

/// <summary>
/// The quicker way to a process's memory, where the router sees its pid and may trace it: process_vm_readv(2) and
/// process_vm_writev(2). A pidfd tells before each copy that the pid still means the same process.
/// </summary>
internal sealed unsafe partial class VisibleProcess : IDisposable
{
    private const long PidfdSendSignal = 424;
    private const long PidfdOpen = 434;

    private readonly int _pid;
    private readonly SafeFileHandle _pidfd;

    private VisibleProcess(int pid, SafeFileHandle pidfd) => (_pid, _pidfd) = (pid, pidfd);

    /// <summary>Null when the process can't be reached this way: no such pid here, or no CAP_SYS_PTRACE.</summary>
    public static VisibleProcess? TryOpen(int pid, ulong readableAddress)
    {
        if (pid <= 0)
            return null;
        var descriptor = Call(PidfdOpen, pid, 0, 0, 0);
        if (descriptor < 0)
            return null;
        var process = new VisibleProcess(pid, new SafeFileHandle((nint)descriptor, true));
        Span<byte> probe = stackalloc byte[1];
        if (process.Read(readableAddress, probe) == 0)
            return process;
        process.Dispose();
        return null;
    }

    public int Read(ulong address, Span<byte> into)
    {
        fixed (byte* start = into)
            return Copy(address, start, into.Length, write: false);
    }

    public int Write(ulong address, ReadOnlySpan<byte> from)
    {
        fixed (byte* start = from)
            return Copy(address, start, from.Length, write: true);
    }

    public void Dispose() => _pidfd.Dispose();

    private int Copy(ulong address, byte* start, int length, bool write)
    {
        if (Call(PidfdSendSignal, _pidfd.DangerousGetHandle(), 0, 0, 0) < 0)
            return Errno.EFAULT;
        for (var done = 0; done < length;)
        {
            var local = new Vector { Base = (ulong)(start + done), Length = (ulong)(length - done) };
            var remote = new Vector { Base = address + (ulong)done, Length = (ulong)(length - done) };
            var moved = write ? WriteTo(_pid, &local, 1, &remote, 1, 0) : ReadFrom(_pid, &local, 1, &remote, 1, 0);
            if (moved <= 0)
                return Errno.EFAULT;
            done += (int)moved;
        }

        return 0;
    }

    private struct Vector
    {
        public ulong Base;
        public ulong Length;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long Call(long number, nint first, nint second, nint third, nint fourth);

    [LibraryImport("libc", EntryPoint = "process_vm_readv", SetLastError = true)]
    private static partial nint ReadFrom(int pid, Vector* local, ulong localCount, Vector* remote, ulong remoteCount, ulong flags);

    [LibraryImport("libc", EntryPoint = "process_vm_writev", SetLastError = true)]
    private static partial nint WriteTo(int pid, Vector* local, ulong localCount, Vector* remote, ulong remoteCount, ulong flags);
}
