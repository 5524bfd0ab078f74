using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// The memory regions and windows by key. A key says nothing by itself: PD, bounds and rights are checked at every use.
/// </summary>
internal sealed class KeyTable
{
    private readonly Dictionary<uint, EngineMemoryRegion> _byKey = [];

    // By the upper 24 bits, which a window keeps.
    private readonly Dictionary<uint, EngineMemoryWindow> _windows = [];

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

    public void Add(EngineMemoryWindow window) => _windows.Add(window.Key >> 8, window);

    public void Remove(EngineMemoryWindow window) => _windows.Remove(window.Key >> 8);

    /// <summary>The window that has this key now.</summary>
    public EngineMemoryWindow? WindowOf(uint key) =>
        _windows.TryGetValue(key >> 8, out var window) && window.Key == key ? window : null;

    /// <summary>The region with this lkey.</summary>
    public EngineMemoryRegion? LocalRegionOf(uint key) =>
        _byKey.TryGetValue(key, out var region) && region.LocalKey == key ? region : null;

    /// <summary>
    /// The region that the lkey <paramref name="key"/> names, if it is of this PD, covers the range and grants
    /// <paramref name="access"/>; else null.
    /// </summary>
    public EngineMemoryRegion? Find(uint key, uint protectionDomain, ulong address, ulong length, AccessFlags access) =>
        _byKey.TryGetValue(key, out var region)
        && key == region.LocalKey
        && region.ProtectionDomain == protectionDomain
        && (region.Access & access) == access
        && region.Covers(address, length)
            ? region
            : null;

    /// <summary>
    /// The same for a peer of <paramref name="responder"/>, by the rkey of a region or of a window; <paramref name="address"/>
    /// becomes one of the region's.
    /// </summary>
    public EngineMemoryRegion? FindRemote(EngineQueuePair responder, uint key, ref ulong address, ulong length, AccessFlags access)
    {
        if (!_byKey.TryGetValue(key, out var region))
            return WindowOf(key)?.Open(responder, ref address, length, access);
        return key == region.RemoteKey
            && region.ProtectionDomain == responder.ProtectionDomain
            && (region.Access & access) == access
            && region.Covers(address, length)
                ? region
                : null;
    }
}
