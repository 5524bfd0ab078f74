using System.Collections.Concurrent;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Fixtures;

/// <summary>The labs that most tests share: each serves one test at a time, and stays for the next.</summary>
internal static class LabPool
{
    /// <summary>Of each lab.</summary>
    public const int HostCount = 2;

    private static readonly LabOptions s_options = new() { Hosts = HostCount, Containers = 4 };
    private static readonly ConcurrentBag<SharedLab> s_free = [];
    private static int s_made;

    public static SharedLab Take()
    {
        if (s_free.TryTake(out var free))
            return free;
        return new SharedLab(TestRunDirectory.PathsOf($"shared-{Interlocked.Increment(ref s_made)}"), s_options);
    }

    public static void Return(SharedLab lab) => s_free.Add(lab);
}
