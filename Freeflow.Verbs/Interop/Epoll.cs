using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Interop;

/// <summary><c>EPOLL*</c> of sys/epoll.h</summary>
[Flags]
public enum EpollEvents : uint
{
    None = 0,
    In = 0x1,
    Out = 0x4,
    Error = 0x8,
    HangUp = 0x10,
    ReadHangUp = 0x2000,
    Edge = 1u << 31,
}

/// <summary>One ready descriptor.</summary>
public readonly record struct EpollEvent(EpollEvents Events, ulong Key);

/// <summary>Waits for many descriptors (epoll(7)). Waiting allocates nothing; one thread waits at a time.</summary>
public sealed unsafe partial class Epoll : IDisposable
{
    private const int CloseOnExec = 0x80000;
    private const int AddOperation = 1;
    private const int RemoveOperation = 2;
    private const int ModifyOperation = 3;
    private const int MaximumBatch = 64;

    // struct epoll_event is packed on x86-64 only.
    private static readonly int s_size = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int s_keyOffset = s_size - sizeof(ulong);

    private readonly SafeFileHandle _handle;
    private readonly bool _waitsInNanoseconds;
    private readonly byte[] _events = GC.AllocateArray<byte>(MaximumBatch * 16, pinned: true);

    private Epoll(SafeFileHandle handle)
    {
        _handle = handle;
        _waitsInNanoseconds = CanWaitInNanoseconds();
    }

    public static Epoll Create()
    {
        var descriptor = Open(CloseOnExec);
        return descriptor < 0
            ? throw new Win32Exception(Marshal.GetLastPInvokeError(), "epoll_create1")
            : new Epoll(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    public void Add(SafeHandle descriptor, EpollEvents events, ulong key) => Control(AddOperation, descriptor, events, key);

    public void Modify(SafeHandle descriptor, EpollEvents events, ulong key) => Control(ModifyOperation, descriptor, events, key);

    public void Remove(SafeHandle descriptor) => Control(RemoveOperation, descriptor, EpollEvents.None, 0);

    /// <summary>
    /// Waits up to the timeout (-1: without end; 0: just looks); on a kernel before 5.11 in whole milliseconds. Returns how
    /// many are ready; 0 also when interrupted.
    /// </summary>
    public int Wait(Span<EpollEvent> into, long timeoutNanoseconds)
    {
        fixed (byte* events = _events)
        {
            var count = WaitFor(events, Math.Min(into.Length, MaximumBatch), timeoutNanoseconds);
            for (var i = 0; i < count; i++)
            {
                var at = events + (i * s_size);
                into[i] = new EpollEvent(*(EpollEvents*)at, MemoryMarshal.Read<ulong>(new ReadOnlySpan<byte>(at + s_keyOffset, sizeof(ulong))));
            }

            return Math.Max(count, 0);
        }
    }

    public void Dispose() => _handle.Dispose();

    private int WaitFor(byte* events, int count, long timeoutNanoseconds)
    {
        if (timeoutNanoseconds <= 0 || !_waitsInNanoseconds)
        {
            var milliseconds = timeoutNanoseconds < 0 ? -1 : (int)Math.Min((timeoutNanoseconds + 999_999) / 1_000_000, int.MaxValue);
            return WaitFor(_handle, events, count, milliseconds);
        }

        var time = stackalloc long[2] { timeoutNanoseconds / 1_000_000_000, timeoutNanoseconds % 1_000_000_000 };
        return WaitFor(_handle, events, count, time, null);
    }

    private bool CanWaitInNanoseconds()
    {
        try
        {
            var now = stackalloc long[2];
            fixed (byte* events = _events)
                return WaitFor(_handle, events, 1, now, null) >= 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    private void Control(int operation, SafeHandle descriptor, EpollEvents events, ulong key)
    {
        var buffer = stackalloc byte[16];
        *(EpollEvents*)buffer = events;
        MemoryMarshal.Write(new Span<byte>(buffer + s_keyOffset, sizeof(ulong)), key);
        if (Change(_handle, operation, descriptor, buffer) < 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "epoll_ctl");
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int Open(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int Change(SafeHandle epoll, int operation, SafeHandle descriptor, byte* change);

    [LibraryImport("libc", EntryPoint = "epoll_pwait2")]
    private static partial int WaitFor(SafeHandle epoll, byte* events, int count, long* timeout, void* signals);

    [LibraryImport("libc", EntryPoint = "epoll_wait")]
    private static partial int WaitFor(SafeHandle epoll, byte* events, int count, int timeoutMilliseconds);
}
