using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Interop;

/// <summary>Numbers of system calls (asm/unistd.h), which differ between machines.</summary>
internal sealed record SystemCallNumbers
{
    /// <summary>As the kernel's audit knows the machine (linux/audit.h).</summary>
    public required uint Architecture { get; init; }

    public required nint Seccomp { get; init; }

    public required uint CloneCall { get; init; }

    public required uint SetNamespace { get; init; }

    public required uint Bpf { get; init; }

    public required uint Socket { get; init; }

    public uint Clone3Call => 435;

    /// <summary>Those that a router never calls.</summary>
    public required IReadOnlyList<uint> Never { get; init; }

    /// <summary>Null for a machine that is not known.</summary>
    public static SystemCallNumbers? OfThisMachine => RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => new SystemCallNumbers
        {
            Architecture = 0xc000003e,
            Seccomp = 317,
            CloneCall = 56,
            SetNamespace = 308,
            Bpf = 321,
            Socket = 41,
            Never =
            [
                101, 59, 322,           // ptrace, execve, execveat
                175, 313, 176,          // init_module, finit_module, delete_module
                246, 320, 169,          // kexec_load, kexec_file_load, reboot
                165, 166, 155, 161,     // mount, umount2, pivot_root, chroot
                272, 304,               // unshare, open_by_handle_at
                298, 323, 212,          // perf_event_open, userfaultfd, lookup_dcookie
                163, 167, 168, 179,     // acct, swapon, swapoff, quotactl
                164, 227, 159, 305,     // settimeofday, clock_settime, adjtimex, clock_adjtime
                170, 171, 103, 153,     // sethostname, setdomainname, syslog, vhangup
                172, 173, 154,          // iopl, ioperm, modify_ldt
                248, 249, 250,          // add_key, request_key, keyctl
                .. s_everywhere,
            ],
        },
        System.Runtime.InteropServices.Architecture.Arm64 => new SystemCallNumbers
        {
            Architecture = 0xc00000b7,
            Seccomp = 277,
            CloneCall = 220,
            SetNamespace = 268,
            Bpf = 280,
            Socket = 198,
            Never =
            [
                117, 221, 281,          // ptrace, execve, execveat
                105, 273, 106,          // init_module, finit_module, delete_module
                104, 294, 142,          // kexec_load, kexec_file_load, reboot
                40, 39, 41, 51,         // mount, umount2, pivot_root, chroot
                97, 265,                // unshare, open_by_handle_at
                241, 282, 18,           // perf_event_open, userfaultfd, lookup_dcookie
                89, 224, 225, 60,       // acct, swapon, swapoff, quotactl
                170, 112, 171, 266,     // settimeofday, clock_settime, adjtimex, clock_adjtime
                161, 162, 116, 58,      // sethostname, setdomainname, syslog, vhangup
                217, 218, 219,          // add_key, request_key, keyctl
                .. s_everywhere,
            ],
        },
        _ => null,
    };

    /// <summary>Newer ones have the same number on all machines: io_uring_setup, move_mount, fspick, quotactl_fd.</summary>
    private static readonly uint[] s_everywhere = [425, 429, 433, 443];
}
