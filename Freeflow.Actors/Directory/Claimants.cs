namespace Freeflow.Actors.Directory;

/// <summary>
/// Who owns which address, of all who claim it: the first one. Nearly every address has one claimant, which is written in the address book
/// alone; only those with several have a list here.
/// </summary>
/// <param name="book">Where the owners are written.</param>
/// <param name="sinceOf">Since when a router claims an address.</param>
internal sealed class Claimants(AddressBook book, Func<string, TenantAddress, long?> sinceOf)
{
    private readonly Dictionary<TenantAddress, Dictionary<string, long>> _contested = [];

    /// <summary>Whether the address has another owner now.</summary>
    public bool Claim(string node, PageEntry entry)
    {
        var address = entry.Address;
        if (book.OwnerOf(address) is not { } owner)
        {
            book.SetOwner(address, node);
            return true;
        }

        if (!_contested.TryGetValue(address, out var claims))
        {
            if (owner == node)
                return false;
            _contested.Add(address, claims = new() { [owner] = sinceOf(owner, address) ?? long.MaxValue });
        }

        claims[node] = entry.Since;
        return Settle(address, claims, owner);
    }

    /// <summary>Whether the address has another owner now, or none.</summary>
    public bool Withdraw(string node, TenantAddress address)
    {
        if (book.OwnerOf(address) is not { } owner)
            return false;
        if (_contested.TryGetValue(address, out var claims))
        {
            claims.Remove(node);
            var changes = Settle(address, claims, owner);
            if (claims.Count == 1)
                _contested.Remove(address);
            return changes;
        }

        if (owner != node)
            return false;
        book.RemoveOwner(address);
        return true;
    }

    private bool Settle(TenantAddress address, Dictionary<string, long> claims, string before)
    {
        var first = claims.MinBy(claim => (claim.Value, claim.Key), s_order).Key;
        if (first == before)
            return false;
        book.SetOwner(address, first);
        return true;
    }

    // The same at every router, whatever its language.
    private static readonly Comparer<(long Since, string Node)> s_order = Comparer<(long Since, string Node)>.Create(
        (one, other) => one.Since != other.Since ? one.Since.CompareTo(other.Since) : string.CompareOrdinal(one.Node, other.Node));
}
