using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>A connection's port as datagrams need it: whose it is, its addresses by GID index, the bytes of the longest datagram.</summary>
public sealed record EnginePort(ulong Tenant, IReadOnlyList<Gid> Gids, int Mtu)
{
    /// <summary>A port without addresses.</summary>
    public static EnginePort None { get; } = new(0, [], 256);

    internal bool Has(in Gid gid)
    {
        for (var i = 0; i < Gids.Count; i++)
        {
            if (Gids[i] == gid)
                return true;
        }

        return false;
    }
}

/// <summary>Which router has an address. Read on the engine's thread: local, without waiting, and without allocating.</summary>
public interface IAddressResolver
{
    /// <summary>Changes whenever an answer may have changed.</summary>
    int Version { get; }

    /// <summary>
    /// The peer's number, <see cref="EngineQueuePair.SameRouter"/> for this router, <see cref="EngineQueuePair.NoPeer"/> when no
    /// member is known to have the address.
    /// </summary>
    int PeerOf(ulong tenant, in Gid address);
}
