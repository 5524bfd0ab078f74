using System.Collections.Concurrent;
using System.Net;
using Akka.Actor;
using Akka.Cluster;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Events;
using Freeflow.Actors.Membership;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Links;

namespace Freeflow.Actors.Peers;

/// <summary>
/// The other routers: one child a member. It gives each member incarnation the number by which the engine knows it, and
/// takes it away when the member is removed, which fails what depended on it.
/// </summary>
public sealed class PeersActor : ListedActor
{
    private readonly VerbsEngine _engine;
    private readonly HandoverLoop _handover;
    private readonly AddressBook _book;
    private readonly LinkEndpoint _endpoint;
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly Dictionary<string, (int Number, IActorRef Actor, PeerLinks Links)> _peers = [];
    private readonly Dictionary<int, string> _nodes = [];

    /// <summary>Members with whom nothing is said, and why.</summary>
    private readonly Dictionary<string, string> _foreign = [];
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
        Receive<ClusterEvent.UnreachableMember>(lost => Tell(EventKind.MemberUnreachable, lost.Member.Address, "is unreachable"));
        Receive<ClusterEvent.ReachableMember>(back => Tell(EventKind.MemberReachable, back.Member.Address, "is reachable again"));
        Receive<PeerProtocol.Offer>(offer => Forward(offer.Node, offer));
        Receive<PeerProtocol.Accept>(accept => Forward(accept.Node, accept));
        Receive<PeerEvents.LinkAccepted>(link =>
        {
            if (_peers.TryGetValue(link.Node, out var peer))
                peer.Actor.Forward(link);
            else
                link.Link.Dispose();
        });
        Receive<PeerEvents.LinkRefused>(refused => Context.Report(EventKind.LinkRefused, $"Link refused: {refused.Reason}"));
        Receive<PeerEvents.LinkUp>(up =>
        {
            Note(up.Peer, up.Purpose, LinkState.Up);
            ForwardTo(up.Peer, up);
        });
        Receive<PeerEvents.LinkDown>(down =>
        {
            Note(down.Peer, down.Purpose, new LinkState(false, down.Reason));
            ForwardTo(down.Peer, down);
        });
        Receive<ListPeers>(_ => Sender.Tell(new PeersReport(
            _endpoint.Node, [.. _peers.Select(peer => new PeerReport(peer.Key, peer.Value.Number, peer.Value.Links.Data, peer.Value.Links.Handover))], _foreign.ToDictionary())));
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
        if (!WireVersion.IsUnderstood(member))
        {
            var reason = WireVersion.WhyNot(member);
            if (_foreign.TryAdd(node, reason))
                Context.Report(EventKind.MemberForeign, $"Peers: {node} is a member, and nothing is said to it: {reason}", ("router", node), ("reason", reason));
            return;
        }

        var number = _nextNumber++;
        if (IPAddress.TryParse(member.Address.Host, out var host) && Ipv4.From(host) is { } address)
            _handover.AddPeer(number, address);
        var actor = Context.ActorOf(PeerActor.Props(_engine, _handover, _endpoint, node, member.Address, number), $"peer-{number}");
        _peers.Add(node, (number, actor, new PeerLinks()));
        _nodes.Add(number, node);
        _book.Reach(node, number);
        Tell(EventKind.MemberUp, node, "is a member");
    }

    private void Remove(Member member)
    {
        var node = NodeName.Of(member.UniqueAddress);
        if (_foreign.Remove(node))
            Tell(EventKind.MemberRemoved, node, "was removed");
        if (!_peers.Remove(node, out var peer))
            return;
        _nodes.Remove(peer.Number);
        _book.Lose(node);
        Context.Stop(peer.Actor);
        _engine.RemovePeer(peer.Number);
        _handover.RemovePeer(peer.Number);
        Tell(EventKind.MemberRemoved, node, "was removed");
    }

    private static void Tell(EventKind kind, object node, string what) => Context.Report(kind, $"Peers: {node} {what}", ("router", node));

    private void Forward(string node, object message)
    {
        // A member may speak before this router has heard that it is up; it says it again.
        if (_peers.TryGetValue(node, out var peer))
            peer.Actor.Forward(message);
    }

    private void Note(int number, LinkPurpose purpose, LinkState state)
    {
        if (_nodes.TryGetValue(number, out var node))
            _peers[node].Links.Note(purpose, state);
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
/// <param name="Encrypt">Whether links are encrypted even where the other end does not wish it.</param>
/// <param name="Credentials">The keys agreed with other members, by node; read by the listener's thread.</param>
public sealed record LinkEndpoint(string Node, IPAddress Address, int Port, bool Encrypt, ConcurrentDictionary<string, LinkCredential> Credentials);
