using System.ComponentModel;
using System.Net;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Underlay;

/// <summary>What this network namespace's kernel knows of other hosts: where routes, VXLAN tunnels and neighbours lead (rtnetlink(7)).</summary>
public static class HostTables
{
    private const byte Bridges = 7; // AF_BRIDGE

    /// <summary>
    /// Addresses of <paramref name="prefix"/> that are in the tables, each once, those that an overlay uses before those that were only talked to.
    /// Throws IOException where the kernel does not tell.
    /// </summary>
    public static IReadOnlyList<IPAddress> HostsIn(IPNetwork prefix)
    {
        try
        {
            using var netlink = RouteNetlink.Open();
            var found = new HostTableReader(prefix);
            netlink.Ask(RouteNetlink.GetNeighbour, Bridges);
            netlink.ReadList(found.Take);
            netlink.Ask(RouteNetlink.GetRoute);
            netlink.ReadList(found.Take);
            netlink.Ask(RouteNetlink.GetNeighbour);
            netlink.ReadList(found.Take);
            return found.Hosts;
        }
        catch (Exception problem) when (problem is Win32Exception or TimeoutException)
        {
            throw new IOException($"this host's tables can't be read: {problem.Message}", problem);
        }
    }
}
