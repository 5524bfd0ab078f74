using System.Net;
using Freeflow.Actors.Seeds;

namespace Freeflow.Router.Configuration;

/// <summary>Where a router looks for its cluster.</summary>
/// <param name="Settings">The ways, in their order, and times.</param>
/// <param name="Listed">Seeds that are named in the settings.</param>
/// <param name="File">A file with seeds; null: none.</param>
/// <param name="Named">What DNS is asked for; null: nothing.</param>
/// <param name="Network">In which the host's tables are searched; null: they are not.</param>
public sealed record SeedOptions(SeedSettings Settings, IReadOnlyList<SeedEntry> Listed, string? File, SeedEntry? Named, IPNetwork? Network)
{
    /// <summary>The same methods as the router has, for who looks from outside of it; null for one of an operator's own.</summary>
    public SeedMethod? MethodOf(string name)
    {
        var (own, family) = (Settings.Own, Settings.Own.AddressFamily);
        return name switch
        {
            SeedMethod.List => new ListedSeeds(Listed, family),
            SeedMethod.File when File is { } path => new FiledSeeds(path, own.Port, family),
            SeedMethod.Dns when Named is { } entry => new NamedSeeds(entry, family),
            SeedMethod.Tables when Network is { } network => new HostsInTables(network, new SeedEntry(own.Address.ToString(), own.Port), family),
            _ => null,
        };
    }
}
