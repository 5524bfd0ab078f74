using System.Collections.Immutable;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;

namespace Freeflow.Actors.Directory;

/// <summary>
/// Who owns which virtual address, as the connect path reads it: a snapshot, local and without waiting. The directory
/// actor writes the owners, the peers actor writes which members can be reached; an address whose owner is no member
/// resolves to nothing.
/// </summary>
public sealed class AddressBook
{
    private volatile ImmutableDictionary<Gid, string> _owners = ImmutableDictionary<Gid, string>.Empty;
    private volatile ImmutableDictionary<string, int> _peers = ImmutableDictionary<string, int>.Empty;

    /// <summary>Addresses and the nodes that own them.</summary>
    public IReadOnlyDictionary<Gid, string> Owners => _owners;

    /// <summary>The engine's number of the router that owns <paramref name="gid"/>; null when none is known.</summary>
    public int? PeerOf(Gid gid) =>
        _owners.TryGetValue(gid, out var node) && _peers.TryGetValue(node, out var peer) ? peer : null;

    internal void Replace(ImmutableDictionary<Gid, string> owners) => _owners = owners;

    internal void Reach(string node, int peer) => _peers = _peers.SetItem(node, peer);

    internal void ReachOwn(string node) => Reach(node, EngineQueuePair.SameRouter);

    internal void Lose(string node) => _peers = _peers.Remove(node);
}
