using System.Globalization;

namespace Freeflow.Verbs.Memory;

/// <summary>
/// The memory of the control group that a process is in (cgroups(7)): of the one hierarchy of version 2, or of version 1's own. The group's own
/// bound only; those of groups above it are not seen.
/// </summary>
public sealed class ControlGroup
{
    private readonly string _limit;
    private readonly string _usage;
    private readonly string _statistics;
    private readonly string _reclaimable;

    private ControlGroup(string directory, string limit, string usage, string reclaimable)
    {
        _limit = Path.Combine(directory, limit);
        _usage = Path.Combine(directory, usage);
        _statistics = Path.Combine(directory, "memory.stat");
        _reclaimable = reclaimable;
    }

    /// <summary>Null where the process is in none, or can't see it.</summary>
    /// <param name="membership">What /proc/PID/cgroup says.</param>
    /// <param name="root">Where the hierarchies are mounted.</param>
    public static ControlGroup? Find(string membership, string root = "/sys/fs/cgroup")
    {
        foreach (var line in membership.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split(':', 3) is not [_, var controllers, var path])
                continue;
            // In a namespace of its own a group is seen as the root; else by its path, as the machine has it.
            foreach (var below in new[] { path.TrimStart('/'), "" })
            {
                var found = controllers.Split(',').Contains("memory")
                    ? new ControlGroup(Path.Combine(root, "memory", below), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
                    : new ControlGroup(Path.Combine(root, below), "memory.max", "memory.current", "inactive_file");
                if (File.Exists(found._limit) && File.Exists(found._usage))
                    return found;
            }
        }

        return null;
    }

    /// <summary>That of this process.</summary>
    public static ControlGroup? Own()
    {
        try
        {
            return Find(File.ReadAllText("/proc/self/cgroup"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Bytes that the group may have, and those that it has and that can't be taken from it. Null where it has no bound.</summary>
    public (long Limit, long Used)? Read()
    {
        try
        {
            // "max" is no number; without a bound version 1 has one that no machine reaches.
            if (!long.TryParse(File.ReadAllText(_limit), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var limit) || limit >= long.MaxValue / 2)
                return null;
            var usage = long.Parse(File.ReadAllText(_usage), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
            return (limit, Math.Max(usage - Reclaimable(), 0));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException)
        {
            return null;
        }
    }

    private long Reclaimable()
    {
        foreach (var line in File.ReadLines(_statistics))
        {
            if (line.Split(' ') is [var name, var value] && name == _reclaimable)
                return long.Parse(value, CultureInfo.InvariantCulture);
        }

        return 0;
    }
}
