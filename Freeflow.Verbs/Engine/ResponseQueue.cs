namespace Freeflow.Verbs.Engine;

/// <summary>The answers that a QP owes its peer, first in first out, of fixed size.</summary>
internal sealed class ResponseQueue(int capacity)
{
    private readonly OwedResponse[] _entries = new OwedResponse[capacity];
    private int _first;

    public int Count { get; private set; }

    /// <summary>The oldest answer; only while <see cref="Count"/> is not 0.</summary>
    public ref OwedResponse First => ref _entries[_first];

    public bool TryAdd(in OwedResponse response)
    {
        if (Count == _entries.Length)
            return false;
        _entries[(_first + Count++) % _entries.Length] = response;
        return true;
    }

    public void RemoveFirst()
    {
        _first = (_first + 1) % _entries.Length;
        Count--;
    }

    public void Clear() => (_first, Count) = (0, 0);
}

/// <summary>
/// The results of the latest atomics, so that one that is repeated after a lost link is answered without being executed
/// twice (specification, 9.4.5: responder resources).
/// </summary>
internal sealed class AtomicReplay(int capacity)
{
    private readonly (uint Sequence, ulong Original)[] _entries = new (uint, ulong)[capacity];
    private int _next;
    private int _count;

    public void Add(uint sequence, ulong original)
    {
        _entries[_next] = (sequence, original);
        _next = (_next + 1) % _entries.Length;
        _count = Math.Min(_count + 1, _entries.Length);
    }

    public bool TryFind(uint sequence, out ulong original)
    {
        for (var i = 0; i < _count; i++)
        {
            if (_entries[i].Sequence == sequence)
            {
                original = _entries[i].Original;
                return true;
            }
        }

        original = 0;
        return false;
    }

    public void Clear() => (_next, _count) = (0, 0);
}
