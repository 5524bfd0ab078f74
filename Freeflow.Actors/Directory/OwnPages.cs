namespace Freeflow.Actors.Directory;

/// <summary>This router's addresses on its pages, each on the first page that had room, and which pages are other than what was replicated.</summary>
internal sealed class OwnPages
{
    private readonly List<Dictionary<TenantAddress, long>> _pages = [[]];
    private readonly Dictionary<TenantAddress, int> _pageOf = [];
    private readonly SortedSet<int> _roomy = [0];
    private readonly SortedSet<int> _changed = [];

    public int Count => _pages.Count;

    public bool HasChanges => _changed.Count > 0;

    public bool Contains(TenantAddress address) => _pageOf.ContainsKey(address);

    public long? Since(TenantAddress address) => _pageOf.TryGetValue(address, out var index) ? _pages[index][address] : null;

    public void Add(PageEntry entry)
    {
        if (_pageOf.ContainsKey(entry.Address))
            return;
        if (_roomy.Count == 0)
        {
            _roomy.Add(_pages.Count);
            _pages.Add([]);
            // Others learn of it from the first one.
            _changed.Add(0);
        }

        var index = _roomy.Min;
        _pages[index].Add(entry.Address, entry.Since);
        _pageOf.Add(entry.Address, index);
        if (_pages[index].Count == PageEntries.PerPage)
            _roomy.Remove(index);
        _changed.Add(index);
    }

    public bool Remove(TenantAddress address)
    {
        if (!_pageOf.Remove(address, out var index))
            return false;
        _pages[index].Remove(address);
        _roomy.Add(index);
        _changed.Add(index);
        return true;
    }

    /// <summary>A page has to be replicated again. Nothing where there is no such page.</summary>
    public void MarkChanged(int index)
    {
        if (index < _pages.Count)
            _changed.Add(index);
    }

    /// <summary>The pages that have changed since this was asked last, packed.</summary>
    public IReadOnlyList<(int Index, byte[] Entries)> TakeChanges()
    {
        var taken = _changed.Select(index => (index, PageEntries.Pack([.. _pages[index].Select(entry => new PageEntry(entry.Key, entry.Value))]))).ToList();
        _changed.Clear();
        return taken;
    }
}
