using System.Diagnostics;

namespace Freeflow.Router.Dashboard.Live;

/// <summary>Two counters of each of many things, by name, as rates from one look to the next. What is not looked at again is forgotten.</summary>
internal sealed class RowRates
{
    private Dictionary<string, (ulong One, ulong Other)> _before = [];
    private Dictionary<string, (ulong One, ulong Other)> _now = [];
    private long _at;
    private double _seconds;

    /// <summary>Before the first row of a look.</summary>
    public void Begin()
    {
        var at = Stopwatch.GetTimestamp();
        _seconds = Stopwatch.GetElapsedTime(_at, at).TotalSeconds;
        _at = at;
        (_before, _now) = (_now, _before);
        _now.Clear();
    }

    /// <summary>Counters of 32 bits that go round. Null for what was not there at the look before.</summary>
    public (double One, double Other)? Of(string name, uint one, uint other) =>
        Remember(name, one, other) is { } before ? (Rate(one - (uint)before.One), Rate(other - (uint)before.Other)) : null;

    /// <summary>Counters of 64 bits.</summary>
    public (double One, double Other)? Of(string name, ulong one, ulong other) =>
        Remember(name, one, other) is { } before ? (Rate(one - before.One), Rate(other - before.Other)) : null;

    private (ulong One, ulong Other)? Remember(string name, ulong one, ulong other)
    {
        _now[name] = (one, other);
        return _before.TryGetValue(name, out var before) ? before : null;
    }

    /// <summary>A counter that has gone back was begun anew: nothing is known of that second.</summary>
    private double Rate(uint difference) => (int)difference < 0 ? 0 : Math.Round(difference / _seconds, 1);

    private double Rate(ulong difference) => (long)difference < 0 ? 0 : Math.Round(difference / _seconds, 1);
}
