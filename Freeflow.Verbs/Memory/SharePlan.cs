namespace Freeflow.Verbs.Memory;

/// <summary>A range to map over the process's own pages, from <see cref="SharePlan.Memory"/>.</summary>
public readonly record struct ShareRange(ulong Address, ulong Length, ulong Offset, uint Protection);

/// <summary>What a process shall map, before it registers memory; the contents are in place.</summary>
public sealed record SharePlan(SharedMemory? Memory, IReadOnlyList<ShareRange> Ranges)
{
    public static SharePlan Nothing { get; } = new(null, []);
}
