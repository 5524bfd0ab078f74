using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Interop;

/// <summary>Scheduling of the calling thread.</summary>
public static partial class ThreadScheduling
{
    private const int RoundRobin = 2;
    private const int ResetOnFork = 0x40000000;

    /// <summary>SCHED_RR at a priority of 1 to 99. Returns 0 or an errno (EPERM without CAP_SYS_NICE).</summary>
    public static int TrySetRoundRobin(int priority) =>
        SetScheduler(0, RoundRobin | ResetOnFork, in priority) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Keeps the thread on one core. Returns 0 or an errno.</summary>
    public static int TrySetAffinity(int core)
    {
        var mask = new ulong[16];
        if (core < 0 || core >= mask.Length * 64)
            return Errno.EINVAL;
        mask[core / 64] = 1UL << (core % 64);
        return SetAffinity(0, mask.Length * sizeof(ulong), mask) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Sleeps for about so long; a real-time thread wakes on time, others some 50 µs late.</summary>
    public static void Pause(long nanoseconds)
    {
        Span<long> time = [0, nanoseconds];
        _ = Sleep(in MemoryMarshal.GetReference(time), 0);
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int Sleep(in long time, nint remaining);

    [LibraryImport("libc", EntryPoint = "sched_setscheduler", SetLastError = true)]
    private static partial int SetScheduler(int thread, int policy, in int priority);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SetAffinity(int thread, nint bytes, ulong[] mask);
}
