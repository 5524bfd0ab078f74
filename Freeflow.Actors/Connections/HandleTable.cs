using System.Diagnostics.CodeAnalysis;

namespace Freeflow.Actors.Connections;

/// <summary>A connection's objects of one kind by handle; handles are the lowest that are free, below a limit.</summary>
/// <param name="limit">How many this connection may have.</param>
/// <param name="container">What its container has of them, if that counts.</param>
internal sealed class HandleTable<T>(int limit, QuotaCount? container = null)
    where T : class
{
    private readonly List<T?> _items = [];
    private readonly SortedSet<int> _free = [];

    public int Count => _items.Count - _free.Count;

    public IEnumerable<T> Items => _items.OfType<T>();

    public bool HasRoom => Count < limit && container is not { HasRoom: false };

    /// <summary>The handle that the next <see cref="Add"/> gives.</summary>
    public uint NextHandle => (uint)(_free.Count > 0 ? _free.Min : _items.Count);

    public uint Add(T item)
    {
        var handle = (int)NextHandle;
        if (handle == _items.Count)
            _items.Add(item);
        else
            _items[handle] = item;
        _free.Remove(handle);
        container?.Change(+1);
        return (uint)handle;
    }

    public bool TryGet(uint handle, [NotNullWhen(true)] out T? item)
    {
        item = handle < _items.Count ? _items[(int)handle] : null;
        return item is not null;
    }

    public void Remove(uint handle)
    {
        _items[(int)handle] = null;
        _free.Add((int)handle);
        container?.Change(-1);
    }

    /// <summary>Everything ends with its connection: the container has it no more.</summary>
    public void Abandon() => container?.Change(-Count);
}
