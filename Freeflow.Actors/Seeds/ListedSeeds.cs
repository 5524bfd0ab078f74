using System.Net.Sockets;
using Akka.Actor;
using Akka.Configuration;

namespace Freeflow.Actors.Seeds;

/// <summary>Those that the settings name, in the file or in the environment.</summary>
public sealed class ListedSeeds(IReadOnlyList<SeedEntry> entries, AddressFamily family) : SeedMethod(family)
{
    /// <summary>Akka calls this.</summary>
    public ListedSeeds(ExtendedActorSystem system, Config config)
        : this([.. config.GetStringList("entries").Select(entry => SeedEntry.Parse(entry, config.GetInt("port"))).OfType<SeedEntry>()], SeedMethods.FamilyOf(config))
    {
    }

    public override string Source => "seeds";

    protected override Task<(IReadOnlyList<SeedEntry> Entries, string? Problem)> FindAsync() => Task.FromResult((entries, (string?)null));
}
