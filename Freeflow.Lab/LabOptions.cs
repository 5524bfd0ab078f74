using System.Text.Json;

namespace Freeflow.Lab;

/// <summary>What `lab up` is to build.</summary>
public sealed record LabOptions
{
    public int Hosts { get; init; } = 2;

    /// <summary>Containers on each host.</summary>
    public int Containers { get; init; } = 2;

    /// <summary>Routers run in their host's pid namespace, in which they see the containers' processes; else in one of their own.</summary>
    public bool RoutersInHostPidNamespace { get; init; }

    /// <summary>Root file systems of the containers other than the machine's.</summary>
    public LabRoots Roots { get; init; } = [];

    /// <summary>Bytes of a file system of each host's own, on which its log and its /freeflow are, with few files; 0: they are on the machine's.</summary>
    public long DiskBytes { get; init; }

    /// <summary>Lay out the network only.</summary>
    public bool WithoutRouters { get; init; }

    /// <summary>Routers are not told where the others are.</summary>
    public bool WithoutSeeds { get; init; }

    /// <summary>Given to every router with --set, whenever it starts.</summary>
    public LabSettings Settings { get; init; } = [];

    /// <summary>In every router's environment, each NAME=value.</summary>
    public LabSettings Environment { get; init; } = [];

    /// <summary>What the lab that is up was built with; null when none is.</summary>
    public static LabOptions? Of(LabPaths paths) =>
        File.Exists(paths.OptionsFile) ? JsonSerializer.Deserialize<LabOptions>(File.ReadAllText(paths.OptionsFile)) : null;
}
