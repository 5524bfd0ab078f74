using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Tests.Interop;

/// <summary>On a thread of its own, which makes system calls and nothing else: what it began would be without them, too.</summary>
public sealed class SystemCallsAreRefused
{
    private const int BadDescriptor = -1;
    private const long NewNetwork = 0x40000000;

    private static readonly (string Name, long X64, long Arm64, long First, long Second, int Errno)[] s_calls =
    [
        ("ptrace", 101, 117, 99, 0, Errno.EPERM),
        ("mount", 165, 40, 0, 0, Errno.EPERM),
        ("umount2", 166, 39, 0, 0, Errno.EPERM),
        ("move_mount", 429, 429, BadDescriptor, 0, Errno.EPERM),
        ("finit_module", 313, 273, BadDescriptor, 0, Errno.EPERM),
        ("kexec_load", 246, 104, 0, 0, Errno.EPERM),
        ("execve", 59, 221, 0, 0, Errno.EPERM),
        ("unshare", 272, 97, 0, 0, Errno.EPERM),
        ("perf_event_open", 298, 241, 0, 0, Errno.EPERM),
        ("io_uring_setup", 425, 425, 1, 0, Errno.EPERM),
        ("clock_settime", 227, 112, 99, 0, Errno.EPERM),
        ("clone of a namespace", 56, 220, NewNetwork, 0, Errno.EPERM),
        ("clone3", 435, 435, 0, 0, Errno.ENOSYS),
        ("bpf that attaches", 321, 280, 8, 0, Errno.EPERM),
        ("bpf that links", 321, 280, 28, 0, Errno.EPERM),
        ("setns to any namespace", 308, 268, BadDescriptor, 0, Errno.EPERM),
        ("socket for packets", 41, 198, 17, 3, Errno.EPERM),

        // What a router does is as it was.
        ("setns to a network namespace", 308, 268, BadDescriptor, NewNetwork, Errno.EBADF),
        ("bpf for a map", 321, 280, 0, 0, Errno.EINVAL),
        ("bpf that runs what was linked", 321, 280, 33, 0, Errno.EINVAL),
        ("fsopen", 430, 430, 0, 0, Errno.EFAULT),
        ("socket of an unknown family", 41, 198, 77, 0, Errno.EAFNOSUPPORT),
        ("kill of nobody", 62, 129, 0x3ffffffe, 0, 3),
    ];

    [Fact]
    public void ThatARouterNeverMakesAndNoOthers()
    {
        var isX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;
        var found = new int[s_calls.Length];
        var installed = -1;
        var thread = new Thread(() =>
        {
            installed = SystemCallFilter.InstallHere();
            for (var call = 0; installed == 0 && call < found.Length; call++)
            {
                var (_, x64, arm64, first, second, _) = s_calls[call];
                found[call] = Call(isX64 ? x64 : arm64, first, second, 0, 0, 0, 0) < 0 ? Marshal.GetLastPInvokeError() : 0;
            }
        });
        thread.Start();
        thread.Join();
        Assert.Equal(0, installed);
        Assert.Equal(s_calls.Select(call => (call.Name, call.Errno)), s_calls.Zip(found, (call, errno) => (call.Name, errno)));
    }

    [DllImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static extern long Call(long number, long first, long second, long third, long fourth, long fifth, long sixth);
}
