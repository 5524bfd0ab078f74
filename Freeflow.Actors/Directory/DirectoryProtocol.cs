using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;

namespace Freeflow.Actors.Directory;

/// <summary>What the directory is asked.</summary>
public static class DirectoryProtocol
{
    /// <summary>
    /// A container of this router has exactly these addresses; none when it is gone. Its actor is told which of them are its own
    /// (<see cref="Granted"/>), now and whenever that changes.
    /// </summary>
    public sealed record Claim(string Container, Tenant Tenant, IReadOnlyList<Gid> Addresses)
    {
        public bool Has(TenantAddress address) => address.Tenant == Tenant.Key && Addresses.Contains(address.Address);
    }

    /// <summary>The claimed addresses that nobody else has.</summary>
    public sealed record Granted(IReadOnlyList<Gid> Addresses);

    /// <summary>Which peer has an address that the address book does not show yet? Answered by Found or, after a bound, NotFound.</summary>
    public sealed record Find(TenantAddress Address);

    public sealed record Found(int Peer);

    public sealed record NotFound(TenantAddress Address);
}
