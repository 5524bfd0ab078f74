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

    /// <summary>Root file system of the containers, a debootstrap tree; null: the machine's.</summary>
    public string? Root { get; init; }

    /// <summary>Lay out the network only.</summary>
    public bool WithoutRouters { get; init; }

    /// <summary>Given to every router with --set, whenever it starts.</summary>
    public LabSettings Settings { get; init; } = [];

    /// <summary>What the lab that is up was built with; null when none is.</summary>
    public static LabOptions? Of(LabPaths paths) =>
        File.Exists(paths.OptionsFile) ? JsonSerializer.Deserialize<LabOptions>(File.ReadAllText(paths.OptionsFile)) : null;
}
