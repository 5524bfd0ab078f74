using System.Net;
using System.Net.Sockets;
using Akka.Discovery;

namespace Freeflow.Actors.Seeds;

/// <summary>
/// A way in which Akka.Discovery finds seeds: akka.discovery.NAME. Akka's own `config` takes no IPv6 addresses, and it has no others that are
/// for more than one platform. Whatever is asked for, a method finds routers; it fails by finding none.
/// </summary>
/// <param name="family">Of this host's address: others are out of its reach.</param>
public abstract class SeedMethod(AddressFamily family) : ServiceDiscovery
{
    public const string List = "list";
    public const string File = "file";
    public const string Dns = "dns";
    public const string Tables = "tables";

    private readonly NameLookup _names = new();

    /// <summary>What it goes by, for people: a file's name, say.</summary>
    public abstract string Source { get; }

    /// <summary>What was wrong when it was last asked; null: nothing.</summary>
    public string? Problem { get; private set; }

    public override async Task<Resolved> Lookup(Lookup lookup, TimeSpan resolveTimeout)
    {
        var (entries, problem) = await FindAsync().ConfigureAwait(false);
        var resolved = await Task.WhenAll(entries.Select(async entry =>
            (entry, addresses: await _names.AddressesOfAsync(entry.Host, family, resolveTimeout).ConfigureAwait(false)))).ConfigureAwait(false);
        Problem = problem ?? (Array.Find(resolved, name => name.addresses.Count == 0).entry is { } without ? $"{without.Host} has no address that this host could reach" : null);
        return new Resolved(
            lookup.ServiceName, resolved.SelectMany(name => name.addresses.Select(address => new ResolvedTarget(address.ToString(), name.entry.Port, address))));
    }

    /// <summary>The entries that there are now, and what is wrong; null: nothing.</summary>
    protected abstract Task<(IReadOnlyList<SeedEntry> Entries, string? Problem)> FindAsync();
}
