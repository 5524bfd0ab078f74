using System.Collections.Concurrent;
using System.Net;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Freeflow.Actors.Directory;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Links;

namespace Freeflow.Actors.Peers;

/// <summary>
/// The other routers: one child a member. It gives each member incarnation the number by which the engine knows it, and
/// takes it away when the member is removed, which fails what depended on it.
/// </summary>
public sealed class PeersActor : ReceiveActor
{
    private readonly VerbsEngine _engine;
    private readonly HandoverLoop _handover;
    private readonly AddressBook _book;
    private readonly LinkEndpoint _endpoint;
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<string, (int Number, IActorRef Actor)> _peers = [];
    private readonly Dictionary<int, string> _nodes = [];
    private int _nextNumber;

    public PeersActor(VerbsEngine engine, HandoverLoop handover, AddressBook book, LinkEndpoint endpoint)
    {
        _engine = engine;
        _handover = handover;
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
        Receive<PeerEvents.LinkRefused>(refused => _log.Warning("Link refused: {0}", refused.Reason));
        Receive<PeerEvents.LinkUp>(up => ForwardTo(up.Peer, up));
        Receive<PeerEvents.LinkDown>(down => ForwardTo(down.Peer, down));
        ReceiveAny(_ => { });
    }

    public static Props Props(VerbsEngine engine, HandoverLoop handover, AddressBook book, LinkEndpoint endpoint) =>
        Akka.Actor.Props.Create(() => new PeersActor(engine, handover, book, endpoint));

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
        if (IPAddress.TryParse(member.Address.Host, out var host) && Ipv4.From(host) is { } address)
            _handover.AddPeer(number, address);
        var actor = Context.ActorOf(PeerActor.Props(_engine, _handover, _endpoint, node, member.Address, number), $"peer-{number}");
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
        _handover.RemovePeer(peer.Number);
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

/// <summary>This router's end of all links.</summary>
/// <param name="Node">Its name, <see cref="NodeName"/>.</param>
/// <param name="Address">Its underlay address.</param>
/// <param name="Port">Where it accepts links.</param>
/// <param name="Credentials">The keys agreed with other members, by node; read by the listener's thread.</param>
public sealed record LinkEndpoint(string Node, IPAddress Address, int Port, ConcurrentDictionary<string, LinkCredential> Credentials);
