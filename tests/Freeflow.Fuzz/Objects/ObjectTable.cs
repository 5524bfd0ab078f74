using Freeflow.Fuzz.Sequences;

namespace Freeflow.Fuzz.Objects;

/// <summary>What one open device has, as the router must have it, too.</summary>
internal sealed class ObjectTable : IDisposable
{
    private readonly Dictionary<(Kind Kind, uint Handle), DeviceObject> _live = [];
    private readonly List<(Kind Kind, uint Handle)> _destroyed = [];

    public IEnumerable<DeviceObject> All => _live.Values;

    public List<DeviceObject> Of(Kind kind) => [.. _live.Values.Where(each => each.Kind == kind).OrderBy(each => each.Handle)];

    public DeviceObject? Find(Kind kind, uint handle) => _live.GetValueOrDefault((kind, handle));

    /// <summary>One of them; null when there is none.</summary>
    public DeviceObject? Any(Kind kind, Choices choices)
    {
        var all = Of(kind);
        var at = choices.Below(all.Count);
        return all.Count > 0 ? all[at] : null;
    }

    /// <summary>A handle to name: mostly of an object that there is; else one that is destroyed, another connection's, or nobody's.</summary>
    public uint Handle(Kind kind, Choices choices, IEnumerable<ObjectTable> others) => choices.Below(24) switch
    {
        < 21 => Any(kind, choices)?.Handle ?? 0,
        21 => _destroyed.LastOrDefault(each => each.Kind == kind).Handle,
        22 => others.Select(other => other.Of(kind).LastOrDefault()?.Handle).LastOrDefault(handle => handle is not null) ?? 7,
        _ => (uint)choices.Edge(),
    };

    public void Add(DeviceObject made)
    {
        if (!_live.TryAdd((made.Kind, made.Handle), made))
            throw new FindingException($"the handle {made.Handle} of a {made.Kind} was given while it was in use");
    }

    /// <summary>The router says that it has destroyed an object: it must have been there.</summary>
    public void Remove(Kind kind, uint handle)
    {
        if (!_live.Remove((kind, handle), out var gone))
            throw new FindingException($"a {kind} of handle {handle} was destroyed, which this connection has not");
        _destroyed.Add((kind, handle));
        foreach (var ring in gone.Rings)
            ring.Dispose();
    }

    /// <summary>The router says that it has done something with an object.</summary>
    public DeviceObject MustHave(Kind kind, uint handle) =>
        Find(kind, handle) ?? throw new FindingException($"a command on {kind} {handle}, which this connection has not, succeeded");

    public void Dispose()
    {
        foreach (var ring in _live.Values.SelectMany(each => each.Rings))
            ring.Dispose();
        _live.Clear();
    }
}
