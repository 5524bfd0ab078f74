using System.Net.Sockets;
using Akka.Actor;
using Akka.Configuration;
using Akka.Discovery;

namespace Freeflow.Actors.Seeds;

/// <summary>The methods by their names.</summary>
public static class SeedMethods
{
    /// <summary>Those of this program, in the order of the defaults, with the classes that Akka makes them of.</summary>
    public static IReadOnlyDictionary<string, Type> Own { get; } = new Dictionary<string, Type>
    {
        [SeedMethod.List] = typeof(ListedSeeds),
        [SeedMethod.File] = typeof(FiledSeeds),
        [SeedMethod.Dns] = typeof(NamedSeeds),
        [SeedMethod.Tables] = typeof(HostsInTables),
    };

    /// <summary>Those that a system is configured for.</summary>
    public static SeedFinder Of(ActorSystem system, SeedSettings settings)
    {
        var discovery = Discovery.Get(system);
        return new SeedFinder([.. settings.By.Select(name => (name, discovery.LoadServiceDiscovery(name)))], settings.Own.Port);
    }

    internal static AddressFamily FamilyOf(Config config) => config.GetBoolean("ipv6") ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
}
