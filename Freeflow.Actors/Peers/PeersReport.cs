using Freeflow.Verbs.Links;

namespace Freeflow.Actors.Peers;

/// <summary>To <see cref="PeersActor"/>; answered by <see cref="PeersReport"/>.</summary>
public sealed class ListPeers
{
    public static ListPeers Instance { get; } = new();
}

/// <param name="Own">This router's node.</param>
/// <param name="Peers">The other members that are up.</param>
/// <param name="Foreign">Members that nothing is said to, and why.</param>
public sealed record PeersReport(string Own, IReadOnlyList<PeerReport> Peers, IReadOnlyDictionary<string, string> Foreign);

/// <param name="Node">Its name, <see cref="Directory.NodeName"/>.</param>
/// <param name="Number">As the engine knows it.</param>
/// <param name="Data">The link of the engines.</param>
/// <param name="Handover">The link of TCP mode.</param>
public sealed record PeerReport(string Node, int Number, LinkState Data, LinkState Handover);

/// <summary>Whether a link is up; if not, why, as far as there is a reason.</summary>
public sealed record LinkState(bool IsUp, string? Reason)
{
    public static LinkState Up { get; } = new(true, null);

    public static LinkState NotYet { get; } = new(false, "not up yet");
}

/// <summary>The links to one peer.</summary>
internal sealed class PeerLinks
{
    public LinkState Data { get; private set; } = LinkState.NotYet;

    public LinkState Handover { get; private set; } = LinkState.NotYet;

    public void Note(LinkPurpose purpose, LinkState state)
    {
        if (purpose == LinkPurpose.Data)
            Data = state;
        else
            Handover = state;
    }
}
