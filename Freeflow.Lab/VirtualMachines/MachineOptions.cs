namespace Freeflow.Lab.VirtualMachines;

/// <summary>What a virtual machine is like.</summary>
public sealed record MachineOptions
{
    /// <summary>Its interface's address.</summary>
    public required string Address { get; init; }

    /// <summary>The MAC of an interface at a wire between two machines; null: an interface of its own, on which nothing leaves it.</summary>
    public string? WireMac { get; init; }

    /// <summary>The end of the wire that listens; the other one joins it.</summary>
    public bool WireListens { get; init; }

    public int Processors { get; init; } = 2;

    /// <summary>In MiB.</summary>
    public int Memory { get; init; } = 2048;
}
