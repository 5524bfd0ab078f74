using System.Collections.Concurrent;
using Freeflow.Actors.Connections;
using Freeflow.Verbs.Handover;

namespace Freeflow.Actors.Containers;

/// <summary>A container with what is counted of it.</summary>
/// <param name="Id">Its network namespace.</param>
/// <param name="Tenant">Whose it is.</param>
/// <param name="Address">Its first address; empty without one.</param>
/// <param name="Holdings">What it has, and what its QPs have done.</param>
/// <param name="Handover">What it has done in TCP mode.</param>
public sealed record ContainerFigures(string Id, string Tenant, string Address, ContainerQuota Holdings, HandoverContainer Handover);

/// <summary>The containers that are served now, for whoever counts. Written by their actors, read by any thread.</summary>
public sealed class ContainerRegister
{
    private readonly ConcurrentDictionary<string, ContainerFigures> _containers = new();

    public IEnumerable<ContainerFigures> All => _containers.Values;

    public void Set(ContainerFigures container) => _containers[container.Id] = container;

    public void Remove(string id) => _containers.TryRemove(id, out _);
}
