using Freeflow.Verbs.Links;

namespace Freeflow.Actors.Peers;

/// <summary>News of links, from the engine, from TCP mode and from the listener.</summary>
public static class PeerEvents
{
    public sealed record LinkAccepted(string Node, AuthenticatedLink Link);

    public sealed record LinkRefused(string Reason);

    public sealed record LinkUp(int Peer, LinkPurpose Purpose);

    public sealed record LinkDown(int Peer, LinkPurpose Purpose, string Reason);
}
