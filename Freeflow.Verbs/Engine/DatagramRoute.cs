using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Policy;

namespace Freeflow.Verbs.Engine;

/// <summary>Where a datagram goes, and how: an address vector with its source GID looked up.</summary>
public readonly record struct DatagramRoute(Gid Local, Gid Remote, uint FlowLabel, byte HopLimit, byte TrafficClass)
{
    /// <summary>The QPN of datagrams to a group.</summary>
    public const uint MulticastQpn = 0xffffff;

    public bool IsMulticast => Remote.IsMulticast;
}

/// <summary>An address handle, as the engine uses it. Immutable but for the peer that it last resolved to.</summary>
public sealed class EngineAddressHandle(uint protectionDomain, DatagramRoute route)
{
    /// <summary>Router-wide number of the PD.</summary>
    public uint ProtectionDomain { get; } = protectionDomain;

    public DatagramRoute Route { get; } = route;

    // The engine's: which router has the address, as of which version of the addresses.
    internal int Peer { get; set; }

    internal int PeerVersion { get; set; } = -1;

    /// <summary>By which policy.</summary>
    internal AccessPolicy? Policy { get; set; }
}

/// <summary>
/// A connection's address handles by number, from 1. One thread writes; the engine reads at any time, so a handle may be used
/// as soon as its number is known.
/// </summary>
public sealed class AddressHandleTable
{
    private EngineAddressHandle?[] _handles = new EngineAddressHandle?[16];

    /// <summary>Sets what a number names; null when it is destroyed.</summary>
    public void Set(uint number, EngineAddressHandle? handle)
    {
        var handles = _handles;
        if (number > handles.Length)
        {
            Array.Resize(ref handles, (int)System.Numerics.BitOperations.RoundUpToPowerOf2(number));
            Volatile.Write(ref _handles, handles);
        }

        Volatile.Write(ref handles[number - 1], handle);
    }

    internal EngineAddressHandle? Find(uint number)
    {
        var handles = Volatile.Read(ref _handles);
        return number - 1 < (uint)handles.Length ? Volatile.Read(ref handles[number - 1]) : null;
    }
}
