using Freeflow.Actors.Policy;
using Freeflow.Verbs.Policy;

namespace Freeflow.Router.Control;

/// <summary>What `freeflow policy show` and `apply` tell of the policy in force.</summary>
/// <param name="Source">Where it is from: a path, or "no policy".</param>
/// <param name="Since">UTC.</param>
/// <param name="File">The file that the router follows.</param>
/// <param name="Problem">Why that file's present text does not hold; null while nothing is wrong with it.</param>
/// <param name="Tenants">In the order of the file.</param>
/// <param name="Rules">The same.</param>
/// <param name="Containers">Limits for single containers, the first that fits.</param>
/// <param name="ContainerLimits">For each container, where nothing else is said.</param>
public sealed record PolicyAnswer(
    string Source,
    DateTime Since,
    string File,
    string? Problem,
    IReadOnlyList<TenantAnswer> Tenants,
    IReadOnlyList<RuleAnswer> Rules,
    IReadOnlyList<ContainerLimitsAnswer> Containers,
    LimitsAnswer ContainerLimits)
{
    /// <summary>Who says who has which labels; null: nobody was asked.</summary>
    public LabelsReport? Labels { get; init; }

    public static PolicyAnswer Of(PolicyReport report) => Of(report.Policy, report.Source, report.Since, report.File, report.Problem) with { Labels = report.Labels };

    public static PolicyAnswer Of(AccessPolicy policy, string source, DateTime since, string file, string? problem) => new(
        source,
        since,
        file,
        problem,
        [.. policy.Tenants.Select(tenant => new TenantAnswer(
            tenant.Name, [.. tenant.Ranges.Select(range => range.ToString())], tenant.AllowsWithin, LimitsAnswer.Of(tenant.Limits), LimitsAnswer.Of(tenant.ContainerLimits))
        {
            Labels = tenant.Labels,
            LabelledAddresses = policy.CountLabelled(tenant),
        })],
        [.. policy.Rules.Select(rule => new RuleAnswer(
            rule.Name,
            [.. rule.From.Select(subject => subject.ToString())],
            [.. rule.To.Select(subject => subject.ToString())],
            [.. rule.Ports.Select(span => span.ToString())],
            rule.Mode.ToString().ToLowerInvariant()))],
        [.. policy.Containers.Select(entry => new ContainerLimitsAnswer([.. entry.Ranges.Select(range => range.ToString())], LimitsAnswer.Of(entry.Limits)))],
        LimitsAnswer.Of(policy.ContainerLimits));
}

/// <param name="Name">Also of one that a bridge tells.</param>
/// <param name="Addresses">Its ranges.</param>
/// <param name="AllowWithin">Whether all within it may talk.</param>
/// <param name="Limits">For all of its containers on this host together.</param>
/// <param name="ContainerLimits">For each of them.</param>
public sealed record TenantAnswer(string Name, IReadOnlyList<string> Addresses, bool AllowWithin, LimitsAnswer Limits, LimitsAnswer ContainerLimits)
{
    /// <summary>KEY=VALUE; none for one that is not told by labels.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>How many addresses are its by them.</summary>
    public int LabelledAddresses { get; init; }
}

/// <param name="Name">With the line where it stands.</param>
/// <param name="From">Tenants, networks, or any.</param>
/// <param name="To">The same.</param>
/// <param name="Ports">None: every port.</param>
/// <param name="Mode">rdma, tcp or both.</param>
public sealed record RuleAnswer(string Name, IReadOnlyList<string> From, IReadOnlyList<string> To, IReadOnlyList<string> Ports, string Mode);

public sealed record ContainerLimitsAnswer(IReadOnlyList<string> Addresses, LimitsAnswer Limits);

/// <summary>Null: no limit.</summary>
/// <param name="BytesPerSecond">The bandwidth.</param>
/// <param name="MessagesPerSecond">RDMA work requests.</param>
/// <param name="QueuePairs">QPs.</param>
/// <param name="MemoryRegions">MRs.</param>
/// <param name="RegisteredBytes">Of MRs.</param>
/// <param name="Connections">Accelerated TCP connections that were begun.</param>
public sealed record LimitsAnswer(long? BytesPerSecond, long? MessagesPerSecond, int? QueuePairs, int? MemoryRegions, long? RegisteredBytes, int? Connections)
{
    public static LimitsAnswer Of(PolicyLimits limits) => new(
        limits.Bandwidth, limits.MessagesPerSecond, limits.QueuePairs, limits.MemoryRegions, limits.RegisteredBytes, limits.Connections);

    /// <summary>In the words of the file, with "none" where there are none.</summary>
    public string Words()
    {
        List<string> words = [];
        if (BytesPerSecond is { } bytes)
            words.Add($"{bytes * 8 / 1e6:0.###} Mbit/s");
        if (MessagesPerSecond is { } messages)
            words.Add($"{messages} messages/s");
        if (QueuePairs is { } pairs)
            words.Add($"{pairs} QPs");
        if (MemoryRegions is { } regions)
            words.Add($"{regions} MRs");
        if (RegisteredBytes is { } registered)
            words.Add($"{Output.ByteCount.Of((ulong)registered)} registered");
        if (Connections is { } connections)
            words.Add($"{connections} connections");
        return words.Count > 0 ? string.Join(", ", words) : "none";
    }
}
