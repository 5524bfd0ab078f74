using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Configuration;
using Freeflow.Verbs.Underlay;

namespace Freeflow.Actors.Seeds;

/// <summary>The hosts of a network that this host's kernel knows of already, because an overlay's routes and tunnels lead there; and this one.</summary>
public sealed class HostsInTables(IPNetwork prefix, SeedEntry own, AddressFamily family) : SeedMethod(family)
{
    /// <summary>A large network's neighbours are not all asked.</summary>
    internal const int MostHosts = 512;

    /// <summary>Akka calls this.</summary>
    public HostsInTables(ExtendedActorSystem system, Config config)
        : this(IPNetwork.Parse(config.GetString("prefix")), new SeedEntry(config.GetString("own"), config.GetInt("port")), SeedMethods.FamilyOf(config))
    {
    }

    public override string Source => $"{prefix}";

    protected override async Task<(IReadOnlyList<SeedEntry> Entries, string? Problem)> FindAsync()
    {
        try
        {
            var hosts = await Task.Run(() => HostTables.HostsIn(prefix)).ConfigureAwait(false);
            return ([own, .. hosts.Select(host => new SeedEntry(host.ToString(), own.Port)).Where(host => host != own).Take(MostHosts)], null);
        }
        catch (IOException problem)
        {
            return ([own], problem.Message);
        }
    }
}
