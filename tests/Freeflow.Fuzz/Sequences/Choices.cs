namespace Freeflow.Fuzz.Sequences;

/// <summary>
/// What one step of a sequence chooses: drawn at random and written down, or as it was written down. What is missing there
/// is 0, which is always the plainest choice.
/// </summary>
public sealed class Choices
{
    private static readonly ulong[] s_edges =
    [
        0, 1, 2, 3, 7, 8, 15, 16, 31, 63, 64, 127, 128, 255, 256, 4095, 4096, 65535, 65536, 0xffffff, 0x1000000, 0x7fffffff, 0x80000000, 0xfffffffe,
        0xffffffff, 0x100000000, 0x7fffffffffff, 0x800000000000, 0x7fffffffffffffff, 0x8000000000000000, ulong.MaxValue - 4095, ulong.MaxValue,
    ];

    private readonly SplitMix? _random;
    private readonly IReadOnlyList<ulong> _given;
    private readonly List<ulong> _taken = [];

    public Choices(SplitMix random) => (_random, _given) = (random, []);

    public Choices(IReadOnlyList<ulong> given) => _given = given;

    /// <summary>What has been chosen so far.</summary>
    public IReadOnlyList<ulong> Taken => _taken;

    /// <summary>A number below <paramref name="bound"/>; any at all for 0.</summary>
    public ulong Next(ulong bound)
    {
        var chosen = _random?.Next() ?? (_taken.Count < _given.Count ? _given[_taken.Count] : 0);
        if (bound != 0)
            chosen %= bound;
        _taken.Add(chosen);
        return chosen;
    }

    public int Below(int bound) => (int)Next((ulong)Math.Max(1, bound));

    public bool OneIn(int count) => Below(count) == count - 1;

    public T Of<T>(params ReadOnlySpan<T> items) => items[Below(items.Length)];

    /// <summary>A value at the edge of something.</summary>
    public ulong Edge() => s_edges[Below(s_edges.Length)];

    /// <summary>One of the plausible values; seldom, something else.</summary>
    public uint Mostly(params ReadOnlySpan<uint> plausible)
    {
        var at = Below(plausible.Length * 8);
        return at < plausible.Length * 8 - 1 ? plausible[at % plausible.Length] : (uint)Edge();
    }

    /// <summary>The same for a single byte.</summary>
    public byte MostlyByte(params ReadOnlySpan<byte> plausible)
    {
        var at = Below(plausible.Length * 8);
        return at < plausible.Length * 8 - 1 ? plausible[at % plausible.Length] : (byte)Next(256);
    }
}
