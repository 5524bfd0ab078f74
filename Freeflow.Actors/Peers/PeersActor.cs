using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Freeflow.Actors.Directory;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Links;

namespace Freeflow.Actors.Peers;

/// <summary>
/// The other routers: one child a member. It gives each member incarnation the number by which the engine knows it, and
/// takes it away when the member is removed, which fails what depended on it.
/// </summary>
public sealed class PeersActor : ReceiveActor
{
    private readonly VerbsEngine _engine;
    private readonly AddressBook _book;
    private readonly LinkEndpoint _endpoint;
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<string, (int Number, IActorRef Actor)> _peers = [];
    private readonly Dictionary<int, string> _nodes = [];
    private int _nextNumber;

    public PeersActor(VerbsEngine engine, AddressBook book, LinkEndpoint endpoint)
    {
        _engine = engine;
        _book = book;
        _endpoint = endpoint;
        _book.ReachOwn(endpoint.Node);
        Receive<ClusterEvent.MemberUp>(up => Add(up.Member));
        Receive<ClusterEvent.MemberWeaklyUp>(up => Add(up.Member));
        Receive<ClusterEvent.MemberRemoved>(removed => Remove(removed.Member));
        Receive<ClusterEvent.UnreachableMember>(lost => _log.Warning("Peers: {0} is unreachable", lost.Member.Address));
        Receive<ClusterEvent.ReachableMember>(back => _log.Info("Peers: {0} is reachable again", back.Member.Address));
        Receive<PeerProtocol.Offer>(offer => Forward(offer.Node, offer));
        Receive<PeerProtocol.Accept>(accept => Forward(accept.Node, accept));
        Receive<PeerEvents.LinkAccepted>(link =>
        {
            if (_peers.TryGetValue(link.Node, out var peer))
                peer.Actor.Forward(link);
            else
                link.Link.Dispose();
        });
        Receive<PeerEvents.LinkRefused>(refused => _log.Warning("Data link refused: {0}", refused.Reason));
        Receive<PeerEvents.LinkUp>(up => ForwardTo(up.Peer, up));
        Receive<PeerEvents.LinkDown>(down => ForwardTo(down.Peer, down));
        ReceiveAny(_ => { });
    }

    public static Props Props(VerbsEngine engine, AddressBook book, LinkEndpoint endpoint) =>
        Akka.Actor.Props.Create(() => new PeersActor(engine, book, endpoint));

    protected override void PreStart() => _cluster.Subscribe(
        Self,
        ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
        typeof(ClusterEvent.IMemberEvent),
        typeof(ClusterEvent.IReachabilityEvent));

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void Add(Member member)
    {
        var node = NodeName.Of(member.UniqueAddress);
        if (node == _endpoint.Node || _peers.ContainsKey(node))
            return;
        var number = _nextNumber++;
        var actor = Context.ActorOf(PeerActor.Props(_engine, _endpoint, node, member.Address, number), $"peer-{number}");
        _peers.Add(node, (number, actor));
        _nodes.Add(number, node);
        _book.Reach(node, number);
        _log.Info("Peers: {0} is a member", node);
    }

    private void Remove(Member member)
    {
        var node = NodeName.Of(member.UniqueAddress);
        if (!_peers.Remove(node, out var peer))
            return;
        _nodes.Remove(peer.Number);
        _book.Lose(node);
        _endpoint.Credentials.TryRemove(node, out _);
        Context.Stop(peer.Actor);
        _engine.RemovePeer(peer.Number);
        _log.Info("Peers: {0} was removed", node);
    }

    private void Forward(string node, object message)
    {
        // A member may speak before this router has heard that it is up; it says it again.
        if (_peers.TryGetValue(node, out var peer))
            peer.Actor.Forward(message);
    }

    private void ForwardTo(int number, object message)
    {
        if (_nodes.TryGetValue(number, out var node))
            _peers[node].Actor.Forward(message);
    }
}

/// <summary>News of links, from the engine and from the listener.</summary>
public static class PeerEvents
{
    public sealed record LinkAccepted(string Node, AuthenticatedLink Link);

    public sealed record LinkRefused(string Reason);

    public sealed record LinkUp(int Peer);

    public sealed record LinkDown(int Peer, string Reason);
}

/// <summary>This router's end of all links.</summary>
/// <param name="Node">Its name, <see cref="NodeName"/>.</param>
/// <param name="Address">Its underlay address.</param>
/// <param name="Port">Where it accepts links.</param>
/// <param name="Credentials">The keys agreed with other members, by node; read by the listener's thread.</param>
public sealed record LinkEndpoint(string Node, System.Net.IPAddress Address, int Port, ConcurrentDictionary<string, LinkCredential> Credentials);
