using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Interop;

/// <summary>A wake-up that can be waited for by epoll (eventfd(2), non-blocking).</summary>
public sealed partial class EventFd : IDisposable
{
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;

    private EventFd(SafeFileHandle handle) => Handle = handle;

    public SafeFileHandle Handle { get; }

    public static EventFd Create()
    {
        var descriptor = Open(0, CloseOnExec | NonBlocking);
        return descriptor < 0
            ? throw new Win32Exception(Marshal.GetLastPInvokeError(), "eventfd")
            : new EventFd(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    public void Signal()
    {
        var one = 1UL;
        _ = Write(Handle, in one, sizeof(ulong));
    }

    public void Drain() => _ = Read(Handle, out _, sizeof(ulong));

    public void Dispose() => Handle.Dispose();

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int Open(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeHandle descriptor, in ulong value, nint bytes);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeHandle descriptor, out ulong value, nint bytes);
}
