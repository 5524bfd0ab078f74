namespace Freeflow.Actors.Inspection;

/// <summary>Of all that are added those with the lowest numbers, as many as are wanted; it holds no more than that.</summary>
internal sealed class FirstByNumber<T>(int most)
{
    private readonly PriorityQueue<T, uint> _kept = new(Comparer<uint>.Create((one, other) => other.CompareTo(one)));

    /// <summary>How many were added.</summary>
    public int Added { get; private set; }

    public IReadOnlyList<T> InOrder
    {
        get
        {
            var all = _kept.UnorderedItems.ToList();
            return [.. all.OrderBy(entry => entry.Priority).Select(entry => entry.Element)];
        }
    }

    public void Add(T item, uint number)
    {
        Added++;
        _kept.Enqueue(item, number);
        if (_kept.Count > most)
            _kept.Dequeue();
    }
}
