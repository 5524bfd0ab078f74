namespace Freeflow.Actors.Directory;

/// <summary>What is known of one other member's pages. What an earlier incarnation of it wrote counts for nothing.</summary>
/// <param name="address">Where the member is.</param>
/// <param name="node">Which incarnation it is, <see cref="NodeName"/>.</param>
internal sealed class MemberPages(string address, string node)
{
    private readonly List<byte[]> _pages = [];

    public string Node => node;

    /// <summary>The keys of all pages that are followed.</summary>
    public IEnumerable<PageKey> Followed => Enumerable.Range(0, _pages.Count).Select(index => new PageKey(address, index));

    /// <summary>All addresses that it claims.</summary>
    public IEnumerable<TenantAddress> Addresses => _pages.SelectMany(PageEntries.Of).Select(entry => entry.Address);

    /// <summary>Whether a page is followed: what comes may have been asked for an incarnation ago.</summary>
    public bool Follows(int index) => index < _pages.Count;

    /// <summary>The keys of pages that are not followed yet, when it has so many.</summary>
    public IReadOnlyList<PageKey> Follow(int pages)
    {
        var added = new List<PageKey>();
        for (; _pages.Count < pages; _pages.Add([]))
            added.Add(new PageKey(address, _pages.Count));
        return added;
    }

    /// <summary>Since when it claims an address; null: it doesn't.</summary>
    public long? Since(TenantAddress claimed)
    {
        foreach (var page in _pages)
        {
            foreach (var entry in PageEntries.Of(page))
            {
                if (entry.Address == claimed)
                    return entry.Since;
            }
        }

        return null;
    }

    /// <summary>Takes what a page says now. Returns the addresses that it claims no more, and the entries that are new.</summary>
    public (IReadOnlyList<TenantAddress> Gone, IReadOnlyCollection<PageEntry> Come) Replace(int index, byte[] entries)
    {
        var gone = PageEntries.Of(_pages[index]).ToHashSet();
        var come = PageEntries.Of(entries).ToHashSet();
        _pages[index] = entries;
        var staying = come.Where(gone.Contains).ToList();
        gone.ExceptWith(staying);
        come.ExceptWith(staying);
        // An address may have moved to another page.
        return ([.. gone.Select(entry => entry.Address).Where(address => Since(address) is null)], come);
    }
}
