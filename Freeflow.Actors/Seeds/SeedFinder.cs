using System.Net;
using Akka.Discovery;

namespace Freeflow.Actors.Seeds;

/// <summary>
/// Asks the methods of Akka.Discovery in their order; the first that finds seeds is the one that counts. (Akka's own aggregate does not say
/// which one that was, and warns each time that none has found any.)
/// </summary>
/// <param name="methods">With their names.</param>
/// <param name="port">Of seeds without one.</param>
public sealed class SeedFinder(IReadOnlyList<(string Name, ServiceDiscovery Method)> methods, int port)
{
    /// <summary>How the routers are called where a method asks for a name.</summary>
    public const string Service = "freeflow";

    /// <summary>For each method.</summary>
    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(4);

    public async Task<SeedsFound> FindAsync()
    {
        List<string> problems = [];
        foreach (var (name, method) in methods)
        {
            var found = await AskAsync(method).ConfigureAwait(false);
            if (method is SeedMethod { Problem: { } problem })
                problems.Add(problem);
            if (found.Count > 0)
                return new SeedsFound(name, found) { Problems = problems };
        }

        return new SeedsFound("", []) { Problems = problems };
    }

    /// <summary>What one method finds, for who wants to know of each.</summary>
    public async Task<IReadOnlyList<IPEndPoint>> AskAsync(ServiceDiscovery method)
    {
        try
        {
            var resolved = await method.Lookup(Service, s_within).WaitAsync(s_within * 2).ConfigureAwait(false);
            return [.. resolved.Addresses
                .Select(target => (target.Address ?? (IPAddress.TryParse(target.Host, out var known) ? known : null), target.Port ?? port))
                .Where(target => target.Item1 is not null)
                .Select(target => new IPEndPoint(target.Item1!, target.Item2))
                .Distinct()
                .OrderBy(at => at, AddressOrder.Instance)];
        }
        catch (Exception)
        {
            // Whatever a method that others have made throws, the next one may find some.
            return [];
        }
    }
}
