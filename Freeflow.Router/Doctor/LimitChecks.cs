using System.Text.RegularExpressions;

namespace Freeflow.Router.Doctor;

/// <summary>The limits of a process, from /proc/PID/limits.</summary>
public static partial class LimitChecks
{
    private const long FewFiles = 4096;
    private const long EnoughFiles = 65536;
    private const long EnoughLocked = 64L << 20;

    private static readonly Version s_countsNoMaps = new(5, 11);

    /// <param name="limits">/proc/PID/limits.</param>
    /// <param name="release">The kernel's.</param>
    public static IEnumerable<Finding> Of(string limits, string release)
    {
        // The runtime raises the soft limit to the hard one.
        var files = HardLimit(limits, "Max open files");
        var saying = files is { } count ? count == long.MaxValue ? "unlimited" : $"{count}" : "not known";
        yield return files is null or < FewFiles ? Finding.Fail("RLIMIT_NOFILE", saying, "raise it to 1048576 (LimitNOFILE=): each QP takes several descriptors")
            : files < EnoughFiles ? Finding.Warn("RLIMIT_NOFILE", saying, "raise it to 1048576 (LimitNOFILE=): a host with many QPs and connections runs out")
            : Finding.Ok("RLIMIT_NOFILE", saying);

        // Before Linux 5.11 the memory of BPF maps counts as locked.
        var locked = HardLimit(limits, "Max locked memory");
        var bytes = locked is { } most ? most == long.MaxValue ? "unlimited" : $"{most} bytes" : "not known";
        var isOld = System.Version.TryParse(VersionOf().Match(release).Value, out var version) && version < s_countsNoMaps;
        yield return isOld && (locked ?? 0) < EnoughLocked
            ? Finding.Warn("RLIMIT_MEMLOCK", bytes, "raise it (LimitMEMLOCK=infinity): with this kernel filters count as locked memory")
            : Finding.Ok("RLIMIT_MEMLOCK", bytes);
    }

    /// <summary>long.MaxValue: unlimited. Null where there is no such line.</summary>
    public static long? HardLimit(string limits, string name)
    {
        var line = limits.Split('\n').FirstOrDefault(candidate => candidate.StartsWith(name, StringComparison.Ordinal));
        var fields = line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields is not { Length: >= 2 } ? null : fields[1] == "unlimited" ? long.MaxValue : long.TryParse(fields[1], out var value) ? value : null;
    }

    [GeneratedRegex(@"^\d+\.\d+")]
    private static partial Regex VersionOf();
}
