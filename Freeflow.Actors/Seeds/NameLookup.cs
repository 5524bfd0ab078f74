using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Freeflow.Actors.Seeds;

/// <summary>
/// Addresses of names, by the system's resolver, which keeps none of them. It can't be stopped while it waits for a server, so that a name is
/// never asked for twice at a time.
/// </summary>
internal sealed class NameLookup
{
    private readonly ConcurrentDictionary<string, Task<IPAddress[]>> _running = new();

    /// <summary>All that there are of a family; nothing where there is no such name, or no answer in time.</summary>
    public async Task<IReadOnlyList<IPAddress>> AddressesOfAsync(string host, AddressFamily family, TimeSpan within)
    {
        if (IPAddress.TryParse(host, out var known))
            return known.AddressFamily == family ? [known] : [];
        var lookup = _running.GetOrAdd(host, name => Dns.GetHostAddressesAsync(name, family));
        try
        {
            return await lookup.WaitAsync(within).ConfigureAwait(false);
        }
        catch (Exception none) when (none is SocketException or ArgumentException or TimeoutException)
        {
            return [];
        }
        finally
        {
            if (lookup.IsCompleted)
                _running.TryRemove(KeyValuePair.Create(host, lookup));
        }
    }
}
