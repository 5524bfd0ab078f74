using System.Collections.Immutable;
using Freeflow.Actors.Connections;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover.Pacing;
using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.Policy;

/// <summary>
/// What the containers of a tenant on this host have together: their own counts are added up when something is asked for, so that a
/// container that moves to another tenant takes along what it has. Any thread may read.
/// </summary>
public sealed class TenantShare
{
    private volatile PolicyLimits _limits = PolicyLimits.None;
    private ImmutableList<ContainerShare> _members = [];

    /// <summary>How fast they may send, all together.</summary>
    public RateLimit Rate { get; } = new();

    /// <summary>How fast their TCP connections may send, all together.</summary>
    public PacedGroup Pacing { get; } = new();

    public PolicyLimits Limits => _limits;

    public IReadOnlyCollection<ContainerShare> Members => Volatile.Read(ref _members);

    public long Sum(Func<ContainerQuota, long> of)
    {
        var sum = 0L;
        foreach (var member in Volatile.Read(ref _members))
            sum += of(member.Quota);
        return sum;
    }

    /// <summary>Of the accelerated connections that they have begun.</summary>
    public long Flows
    {
        get
        {
            var sum = 0L;
            foreach (var member in Volatile.Read(ref _members))
                sum += member.Handover.Flows;
            return sum;
        }
    }

    internal void Set(PolicyLimits limits)
    {
        _limits = limits;
        Rate.Set(limits.Bandwidth, limits.MessagesPerSecond);
        Pacing.Limit = limits.Bandwidth ?? 0;
    }

    internal void Add(ContainerShare member) => ImmutableInterlocked.Update(ref _members, members => members.Add(member));

    internal void Remove(ContainerShare member) => ImmutableInterlocked.Update(ref _members, members => members.Remove(member));
}
