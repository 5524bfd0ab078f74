using Akka.DistributedData;
using Freeflow.Actors.Serialization;
using Freeflow.Verbs.Abi;

namespace Freeflow.Actors.Directory;

/// <summary>
/// Some of the addresses that one router has, as they are replicated. Only that router writes them, so of two states of a page the later one
/// is right. A page is a few kilobytes however many addresses a router has: pages travel one by one, or a few together.
/// </summary>
/// <param name="Node">The router, <see cref="NodeName"/>. That of an earlier incarnation is nobody's.</param>
/// <param name="Version">Grows with each change, over incarnations, too.</param>
/// <param name="Pages">How many pages the router has.</param>
/// <param name="Entries">The addresses, as <see cref="PageEntries"/> has them.</param>
public sealed record DirectoryPage(string Node, long Version, int Pages, byte[] Entries) : IReplicatedData<DirectoryPage>, IClusterMessage
{
    /// <summary>So many a router may have; half a million addresses.</summary>
    public const int MaximumPages = 4096;

    public static DirectoryPage Empty { get; } = new("", 0, 1, []);

    /// <summary>Whether a router writes such. What others say is looked at before it is believed.</summary>
    public bool IsSound => Pages is > 0 and <= MaximumPages && PageEntries.AreSound(Entries);

    public DirectoryPage Merge(DirectoryPage other) => other.IsLaterThan(this) ? other : this;

    IReplicatedData IReplicatedData.Merge(IReplicatedData other) => Merge((DirectoryPage)other);

    public bool Equals(DirectoryPage? other) =>
        other is not null && Version == other.Version && Pages == other.Pages && Node == other.Node && Entries.AsSpan().SequenceEqual(other.Entries);

    /// <summary>
    /// The same in every process, unlike those of strings: routers compare these (in digests) to see who has something new. FNV-1a.
    /// </summary>
    public override int GetHashCode()
    {
        var hash = 2166136261u;
        foreach (var letter in Node.AsSpan())
            hash = (hash ^ letter) * 16777619;
        foreach (var value in Entries.AsSpan())
            hash = (hash ^ value) * 16777619;
        return (int)((hash ^ (uint)Version ^ (uint)(Version >> 32)) * 16777619 ^ (uint)Pages);
    }

    // Of two with one version, as there may be after a router was removed and came back at once, all choose the same.
    private bool IsLaterThan(DirectoryPage other)
    {
        if (Version != other.Version)
            return Version > other.Version;
        var names = string.CompareOrdinal(Node, other.Node);
        return names != 0 ? names > 0 : Entries.AsSpan().SequenceCompareTo(other.Entries) > 0;
    }
}

/// <summary>An address and since when its router claims it, UTC ticks: of two routers that claim one address the first has it.</summary>
public readonly record struct PageEntry(TenantAddress Address, long Since);
