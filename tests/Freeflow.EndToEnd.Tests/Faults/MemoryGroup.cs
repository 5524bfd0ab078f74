using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Faults;

/// <summary>A control group with a bound on memory, for one process; of whichever version this machine has.</summary>
public sealed class MemoryGroup : IDisposable
{
    private const string FirstVersion = "/sys/fs/cgroup/memory";
    private const string SecondVersion = "/sys/fs/cgroup";

    private MemoryGroup(string directory, string limit, long bytes)
    {
        Directory = directory;
        System.IO.Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, limit), $"{bytes}");
    }

    /// <summary>Where it is.</summary>
    public string Directory { get; }

    /// <summary>Processes that the kernel has killed since they had too much.</summary>
    public int Killed => File.ReadLines(Path.Combine(Directory, File.Exists(Path.Combine(Directory, "memory.events")) ? "memory.events" : "memory.oom_control"))
        .Where(line => line.StartsWith("oom_kill ", StringComparison.Ordinal)).Select(line => int.Parse(line.Split(' ')[1])).Single();

    /// <summary>Null where this machine lets nobody bound memory.</summary>
    public static MemoryGroup? TryMake(string name, long bytes)
    {
        name = $"freeflow-{name}-{Environment.ProcessId}";
        if (File.Exists(Path.Combine(FirstVersion, "memory.limit_in_bytes")))
            return new MemoryGroup(Path.Combine(FirstVersion, name), "memory.limit_in_bytes", bytes);
        var control = Path.Combine(SecondVersion, "cgroup.subtree_control");
        if (!File.Exists(control) || !File.ReadAllText(Path.Combine(SecondVersion, "cgroup.controllers")).Split().Contains("memory"))
            return null;
        File.WriteAllText(control, "+memory");
        return new MemoryGroup(Path.Combine(SecondVersion, name), "memory.max", bytes);
    }

    public void Take(int process) => File.WriteAllText(Path.Combine(Directory, "cgroup.procs"), $"{process}");

    /// <summary>Once all its processes have ended.</summary>
    public void Dispose() => WaitFor.That($"the end of {Directory}", TimeSpan.FromSeconds(30), () =>
    {
        try
        {
            System.IO.Directory.Delete(Directory);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    });
}
