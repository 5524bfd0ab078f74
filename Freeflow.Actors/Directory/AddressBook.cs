using System.Collections.Concurrent;
using System.Collections.Frozen;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Directory;

/// <summary>A virtual address; the same one may be in use by several tenants.</summary>
public readonly record struct TenantAddress(ulong Tenant, Gid Address)
{
    public static TenantAddress Of(Tenant tenant, Gid address) => new(tenant.Key, address);
}

/// <summary>
/// Who owns which virtual address, as the connect path reads it: local, on any thread, without waiting or allocating. The directory
/// actor alone writes the owners, one by one as they change; the peers actor writes which members can be reached; an address whose
/// owner is no member resolves to nothing.
/// </summary>
public sealed class AddressBook : IAddressOwners, IAddressResolver
{
    private readonly ConcurrentDictionary<TenantAddress, string> _owners = new(concurrencyLevel: 1, capacity: 31);
    private volatile FrozenDictionary<string, int> _peers = FrozenDictionary<string, int>.Empty;
    private int _version;

    /// <summary>Something has changed. Raised on whichever thread has changed it: a handler must only hand it on.</summary>
    public event Action? Changed;

    /// <summary>Addresses and the nodes that own them.</summary>
    public IReadOnlyDictionary<TenantAddress, string> Owners => _owners;

    /// <summary>The engine's number of the router that owns an address; null when none is known.</summary>
    public int? PeerOf(TenantAddress address) =>
        _owners.TryGetValue(address, out var node) && _peers.TryGetValue(node, out var peer) ? peer : null;

    /// <summary>The node that owns an address and can be reached; null when none is known.</summary>
    public string? NodeOf(TenantAddress address) =>
        _owners.TryGetValue(address, out var node) && _peers.ContainsKey(node) ? node : null;

    /// <summary>The other members, with the engine's numbers of them.</summary>
    public IEnumerable<KeyValuePair<string, int>> Peers => _peers.Where(peer => peer.Value != EngineQueuePair.SameRouter);

    public bool IsOwn(string node) => _peers.TryGetValue(node, out var peer) && peer == EngineQueuePair.SameRouter;

    int? IAddressOwners.OwnerOf(ulong tenant, Ipv4 address) => PeerOf(new TenantAddress(tenant, Gid.FromAddress(address.ToIPAddress())));

    int IAddressResolver.Version => Volatile.Read(ref _version);

    int IAddressResolver.PeerOf(ulong tenant, in Gid address) => PeerOf(new TenantAddress(tenant, address)) ?? EngineQueuePair.NoPeer;

    internal string? OwnerOf(TenantAddress address) => _owners.GetValueOrDefault(address);

    /// <summary>Nobody is told before <see cref="Change"/>: changes come in numbers.</summary>
    internal void SetOwner(TenantAddress address, string node) => _owners[address] = node;

    internal void ForgetOwners() => _owners.Clear();

    internal void RemoveOwner(TenantAddress address) => _owners.TryRemove(address, out _);

    internal void Reach(string node, int peer)
    {
        _peers = _peers.Where(other => other.Key != node).Append(new(node, peer)).ToFrozenDictionary();
        Change();
    }

    internal void ReachOwn(string node) => Reach(node, EngineQueuePair.SameRouter);

    internal void Lose(string node)
    {
        _peers = _peers.Where(other => other.Key != node).ToFrozenDictionary();
        Change();
    }

    internal void Change()
    {
        Interlocked.Increment(ref _version);
        Changed?.Invoke();
    }
}
