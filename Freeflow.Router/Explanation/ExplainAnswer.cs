namespace Freeflow.Router.Explanation;

/// <summary>What `freeflow explain` shows.</summary>
/// <param name="Source">A container's address.</param>
/// <param name="Destination">Another's.</param>
/// <param name="Port">The destination's; 0: none was named.</param>
/// <param name="Tenant">The source's; null while nobody has it.</param>
/// <param name="Both">What holds for either.</param>
/// <param name="Tcp">TCP connections.</param>
/// <param name="Rdma">QPs.</param>
public sealed record ExplainAnswer(string Source, string Destination, int Port, string? Tenant, IReadOnlyList<StepAnswer> Both, ModeAnswer Tcp, ModeAnswer Rdma);

/// <param name="Accelerated">Whether a new one would be.</param>
/// <param name="Steps">What was looked at, up to the first that does not hold.</param>
public sealed record ModeAnswer(bool Accelerated, IReadOnlyList<StepAnswer> Steps);

/// <param name="What">What has to hold.</param>
/// <param name="Holds">Whether it does.</param>
/// <param name="Detail">More of it: who, where, or what to do.</param>
public sealed record StepAnswer(string What, bool Holds, string Detail);
