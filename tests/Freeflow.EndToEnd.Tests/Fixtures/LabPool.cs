using System.Collections.Concurrent;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Fixtures;

/// <summary>Labs that tests share: each serves one test at a time, and stays for the next.</summary>
internal sealed class LabPool
{
    /// <summary>Of each lab.</summary>
    public const int HostCount = 2;

    private static readonly LabOptions s_options = new() { Hosts = HostCount, Containers = 4 };

    private readonly ConcurrentBag<SharedLab> _free = [];
    private readonly string _name;
    private int _made;

    private LabPool(string name) => _name = name;

    /// <summary>For most tests.</summary>
    public static LabPool Usual { get; } = new("shared");

    /// <summary>For those that end routers and containers, or part them.</summary>
    public static LabPool Breakable { get; } = new("breakable");

    public SharedLab Take() =>
        _free.TryTake(out var free) ? free : new SharedLab(TestRunDirectory.PathsOf($"{_name}-{Interlocked.Increment(ref _made)}"), s_options);

    public void Return(SharedLab lab) => _free.Add(lab);
}
