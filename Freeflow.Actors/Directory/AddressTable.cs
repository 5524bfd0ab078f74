namespace Freeflow.Actors.Directory;

/// <summary>
/// Who has which address: this router's own pages and those of the members, brought together in the address book. What changes costs as much
/// as there is new on a page, however many addresses are known.
/// </summary>
internal sealed class AddressTable
{
    private readonly AddressBook _book;
    private readonly string _self;
    private readonly Dictionary<string, MemberPages> _members = [];
    private readonly Dictionary<string, MemberPages> _byAddress = [];
    private readonly Claimants _claimants;

    /// <param name="book">Emptied: what is known is told anew.</param>
    /// <param name="self">This router, <see cref="NodeName"/>.</param>
    public AddressTable(AddressBook book, string self)
    {
        _book = book;
        _self = self;
        _claimants = new Claimants(book, SinceOf);
        book.ForgetOwners();
    }

    public OwnPages Own { get; } = new();

    /// <summary>The keys of all members' pages.</summary>
    public IEnumerable<PageKey> Followed => _members.Values.SelectMany(member => member.Followed);

    /// <summary>There is another member. Returns the keys of its pages that are to be followed, none when they are already.</summary>
    public IReadOnlyList<PageKey> Join(string node, string address)
    {
        if (_members.ContainsKey(node) || node == _self)
            return [];
        var pages = new MemberPages(address, node);
        _members.Add(node, pages);
        _byAddress[address] = pages;
        return pages.Follow(1);
    }

    /// <summary>
    /// A member is gone. Adds the addresses that have another owner now, or none, to <paramref name="changed"/>. Returns the keys of its pages;
    /// none when its next incarnation is a member already: they are that one's.
    /// </summary>
    public IReadOnlyList<PageKey> Leave(string node, string address, ICollection<TenantAddress> changed)
    {
        if (!_members.Remove(node, out var pages))
            return [];
        foreach (var left in pages.Addresses)
            Withdraw(node, left, changed);
        if (_byAddress[address] != pages)
            return [];
        _byAddress.Remove(address);
        return [.. pages.Followed];
    }

    /// <summary>Takes what a member's page says. Returns the keys of pages that it has beside those that are followed.</summary>
    public IReadOnlyList<PageKey> Take(PageKey key, DirectoryPage page, ICollection<TenantAddress> changed)
    {
        if (!_byAddress.TryGetValue(key.Address, out var member) || page.Node != member.Node || !member.Follows(key.Index) || !page.IsSound)
            return [];
        var (gone, come) = member.Replace(key.Index, page.Entries);
        foreach (var address in gone)
            Withdraw(member.Node, address, changed);
        foreach (var entry in come)
        {
            if (_claimants.Claim(member.Node, entry))
                changed.Add(entry.Address);
        }

        return key.Index == 0 ? member.Follow(page.Pages) : [];
    }

    public void Claim(PageEntry entry)
    {
        Own.Add(entry);
        _claimants.Claim(_self, entry);
    }

    /// <summary>Nothing when this router does not claim it.</summary>
    public void Withdraw(TenantAddress address)
    {
        if (Own.Remove(address))
            _claimants.Withdraw(_self, address);
    }

    private void Withdraw(string node, TenantAddress address, ICollection<TenantAddress> changed)
    {
        if (_claimants.Withdraw(node, address))
            changed.Add(address);
    }

    private long? SinceOf(string node, TenantAddress address) => node == _self ? Own.Since(address) : _members.GetValueOrDefault(node)?.Since(address);
}
