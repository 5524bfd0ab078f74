using System.ComponentModel;
using Freeflow.Verbs.Interop;

namespace Freeflow.Router.Doctor;

/// <summary>What the kernel has, and what this process may do with it.</summary>
public static class KernelChecks
{
    private static readonly Version s_oldest = new(5, 3);       // pidfd_open
    private static readonly Version s_sharedFilters = new(5, 5); // mapped BPF arrays
    private static readonly (string Name, int Bit, bool IsNeeded, string For)[] s_capabilities =
    [
        ("CAP_NET_ADMIN", 12, true, "it tells containers apart by their network namespaces"),
        ("CAP_SYS_ADMIN", 21, true, "it looks into the containers' network namespaces and makes their sysfs trees"),
        ("CAP_SYS_PTRACE", 19, false, "memory is copied the slower way"),
        ("CAP_SYS_NICE", 23, false, "the engine's thread is an ordinary one"),
    ];

    /// <param name="release">As uname says it.</param>
    public static Finding Version(string release)
    {
        var digits = release.TakeWhile(letter => char.IsAsciiDigit(letter) || letter == '.').ToArray();
        if (!System.Version.TryParse(string.Concat(digits).Trim('.'), out var version))
            return Finding.Warn("kernel", release, "its version is not known; Freeflow needs Linux 5.3 or later");
        return version < s_oldest ? Finding.Fail("kernel", release, "Freeflow needs Linux 5.3 or later")
            : version < s_sharedFilters ? Finding.Warn("kernel", release, "before Linux 5.5 TCP connections take longer to set up")
            : Finding.Ok("kernel", release);
    }

    /// <param name="status">/proc/PID/status.</param>
    public static IEnumerable<Finding> Capabilities(string status)
    {
        const string field = "CapEff:";
        var line = status.Split('\n').FirstOrDefault(candidate => candidate.StartsWith(field, StringComparison.Ordinal));
        if (line is null || !ulong.TryParse(line.AsSpan(field.Length).Trim(), System.Globalization.NumberStyles.HexNumber, null, out var effective))
        {
            yield return Finding.Warn("capabilities", "not known", "look at /proc/self/status");
            yield break;
        }

        foreach (var (name, bit, isNeeded, purpose) in s_capabilities)
        {
            if ((effective >> bit & 1) != 0)
                yield return Finding.Ok(name, "granted");
            else if (isNeeded)
                yield return Finding.Fail(name, "missing", $"run the router with it: {purpose}");
            else
                yield return Finding.Warn(name, "missing", $"without it {purpose}");
        }
    }

    public static IEnumerable<Finding> Features(int priority)
    {
        yield return Needed("sealed memory", KernelFeatures.SealedMemory(), "memfd_create(2) with seals is what rings lie in");
        yield return Needed("socket namespaces", KernelFeatures.SocketNamespaces(), "SIOCGSKNS tells containers apart; it needs CAP_NET_ADMIN");
        yield return Needed("entering namespaces", KernelFeatures.EnteringNamespaces(), "setns(2) needs CAP_SYS_ADMIN");
        yield return Better("process memory", KernelFeatures.ProcessMemory(), "without process_vm_readv(2) memory is copied the slower way");
        yield return Better("BPF", KernelFeatures.SharedFilters(), "grant CAP_BPF: without it TCP connections take longer to set up");
        yield return Better("sock_diag", KernelFeatures.ListingSockets(), "without the kernel's module tcp_diag nobody knows which connections have ended");
        yield return priority == 0
            ? Finding.Ok("real-time threads", "not asked for")
            : Better("real-time threads", KernelFeatures.RealTime(priority), "grant CAP_SYS_NICE: without it latencies suffer where programs spin");
    }

    /// <param name="microseconds">/proc/sys/kernel/sched_rt_runtime_us.</param>
    public static Finding RealTimeShare(string microseconds) => microseconds.Trim() == "0"
        ? Finding.Warn("real-time share", "0", "sysctl kernel.sched_rt_runtime_us=950000: real-time threads get no time at all")
        : Finding.Ok("real-time share", $"{microseconds.Trim()} us");

    private static Finding Needed(string subject, int errno, string toDo) => errno == 0 ? Finding.Ok(subject, "works") : Finding.Fail(subject, Words(errno), toDo);

    private static Finding Better(string subject, int errno, string toDo) => errno == 0 ? Finding.Ok(subject, "works") : Finding.Warn(subject, Words(errno), toDo);

    private static string Words(int errno) => $"refused: {new Win32Exception(errno).Message}";
}
