namespace Freeflow.Verbs.Memory;

/// <summary>
/// What this process may still take of its control group's memory. Beyond that the kernel kills it, with all connections; so who wants
/// something new is refused while there is still room for those that are there. Without a bound nobody is. Any thread.
/// </summary>
public sealed class MemoryHeadroom
{
    /// <summary>What an open device or another connection of a shim's comes to, its buffers included.</summary>
    public const long ForAConnection = 256 << 10;

    /// <summary>What an object comes to without its rings: its actor, and what the engine keeps.</summary>
    public const long ForAnObject = 16 << 10;

    /// <summary>So long what a look has shown is believed.</summary>
    internal static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    // Of the bound, for what grows without asking.
    private const int KeptFree = 8;
    private const long LeastKeptFree = 48 << 20;

    private static readonly TimeSpan s_collectEvery = TimeSpan.FromSeconds(5);

    private readonly Func<(long Limit, long Used)?> _look;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly long _atFirst;
    private long _promised;
    private long _left = long.MaxValue;
    private long? _looked;
    private long? _collected;
    private long _refused;

    /// <param name="look">Tells the bound and what is in use, in bytes; null: there is no bound.</param>
    /// <param name="time">When it looks again; null: the system's.</param>
    public MemoryHeadroom(Func<(long Limit, long Used)?> look, TimeProvider? time = null)
    {
        _look = look;
        _time = time ?? TimeProvider.System;
        _atFirst = look()?.Used ?? 0;
    }

    /// <summary>This process's.</summary>
    public static MemoryHeadroom Own { get; } = new(ControlGroup.Own() is { } group ? group.Read : () => null);

    /// <summary>How often there was not enough.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Asks for what is in use as soon as it is taken. False: there is no room for it.</summary>
    public bool TryTake(long bytes) => TryTake(bytes, lasting: false);

    /// <summary>Asks for what may be used at any time until it is returned (shared memory has no pages before somebody writes to it).</summary>
    public bool TryPromise(long bytes) => TryTake(bytes, lasting: true);

    /// <summary>Gives up what was promised.</summary>
    public void Return(long bytes)
    {
        lock (_gate)
            _promised -= bytes;
    }

    private bool TryTake(long bytes, bool lasting)
    {
        lock (_gate)
        {
            if (_looked is not { } last || _time.GetElapsedTime(last) >= LookEvery)
            {
                _left = Left();
                _looked = _time.GetTimestamp();
            }

            if (bytes <= _left)
            {
                if (_left != long.MaxValue)
                    _left -= bytes;
                if (lasting)
                    _promised += bytes;
                return true;
            }

            _refused++;
            if (_collected is { } before && _time.GetElapsedTime(before) < s_collectEvery)
                return false;
            _collected = _time.GetTimestamp();
        }

        // Some of it may be garbage, which the runtime is in no haste to look for.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        return false;
    }

    private long Left()
    {
        if (_look() is not var (limit, used))
            return long.MaxValue;
        var usable = limit - Math.Max(limit / KeptFree, LeastKeptFree);
        var heap = GC.GetGCMemoryInfo();
        var ofHeap = heap.TotalAvailableMemoryBytes - (heap.TotalAvailableMemoryBytes / KeptFree) - heap.HeapSizeBytes;
        return Math.Min(usable - Math.Max(used, _atFirst + _promised), ofHeap);
    }
}
