using System.Net.Sockets;
using Akka.Actor;
using Akka.Configuration;

namespace Freeflow.Actors.Seeds;

/// <summary>All that a name of DNS stands for at the moment, such as a headless Service's.</summary>
public sealed class NamedSeeds(SeedEntry name, AddressFamily family) : SeedMethod(family)
{
    /// <summary>Akka calls this.</summary>
    public NamedSeeds(ExtendedActorSystem system, Config config)
        : this(new SeedEntry(config.GetString("name"), config.GetInt("port")), SeedMethods.FamilyOf(config))
    {
    }

    public override string Source => name.Host;

    protected override Task<(IReadOnlyList<SeedEntry> Entries, string? Problem)> FindAsync() => Task.FromResult(((IReadOnlyList<SeedEntry>)[name], (string?)null));
}
