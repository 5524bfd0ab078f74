using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>The memory regions by key. A key says nothing by itself: PD, bounds and rights are checked at every use.</summary>
internal sealed class KeyTable
{
    private readonly Dictionary<uint, EngineMemoryRegion> _byKey = [];

    public int Count { get; private set; }

    public void Add(EngineMemoryRegion region)
    {
        _byKey.Add(region.LocalKey, region);
        if (region.RemoteKey != region.LocalKey)
            _byKey.Add(region.RemoteKey, region);
        Count++;
    }

    public bool Remove(EngineMemoryRegion region)
    {
        if (!_byKey.TryGetValue(region.LocalKey, out var found) || found != region)
            return false;
        _byKey.Remove(region.LocalKey);
        _byKey.Remove(region.RemoteKey);
        Count--;
        return true;
    }

    /// <summary>
    /// The region that <paramref name="key"/> names, if it is of this PD, covers the range and grants
    /// <paramref name="access"/>; else null.
    /// </summary>
    public EngineMemoryRegion? Find(uint key, uint protectionDomain, ulong address, ulong length, AccessFlags access, bool remote) =>
        _byKey.TryGetValue(key, out var region)
        && key == (remote ? region.RemoteKey : region.LocalKey)
        && region.ProtectionDomain == protectionDomain
        && (region.Access & access) == access
        && region.Covers(address, length)
            ? region
            : null;
}
