using System.Collections.Concurrent;
using Akka.Actor;
using Freeflow.Actors.Flows;
using Freeflow.Actors.Listeners;
using Freeflow.Actors.Peers;
using Freeflow.Actors.Tcp;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Links;

namespace Freeflow.Actors;

/// <summary>Turns what TCP mode reports into messages to the actors concerned. Runs on its thread: it only tells.</summary>
public sealed class HandoverNews : IHandoverEvents
{
    private readonly ConcurrentDictionary<object, IActorRef> _actors = new(ReferenceEqualityComparer.Instance);
    private volatile IActorRef _peers = ActorRefs.Nobody;
    private volatile IActorRef _flows = ActorRefs.Nobody;

    /// <summary>Connections that have begun.</summary>
    public FlowQueue<AnnouncedFlow> Begun { get; } = new();

    /// <summary>Those that have come to containers of this host.</summary>
    public FlowQueue<AcceptedFlow> Accepted { get; } = new();

    public void Watch(object handoverObject, IActorRef actor) => _actors[handoverObject] = actor;

    public void Forget(object handoverObject) => _actors.TryRemove(handoverObject, out _);

    public void WatchAll(IActorRef peers, IActorRef flows) => (_peers, _flows) = (peers, flows);

    public void Announced(in AnnouncedFlow flow)
    {
        if (Begun.Add(flow))
            flow.Container.CountFlows(+1);
    }

    void IHandoverEvents.Accepted(in AcceptedFlow flow) => Accepted.Add(flow);

    public void ProcessEnded(HandoverProcess process, string reason) => Tell(process, new TcpEvents.ProcessEnded(reason));

    public void ListenerGone(DeliveryChannel listener) => Tell(listener, ListenerEvents.Gone.Instance);

    public void ListenerEnded(DeliveryChannel listener) => Tell(listener, ListenerEvents.Ended.Instance);

    public void HandoverLinkUp(int peer) => _peers.Tell(new PeerEvents.LinkUp(peer, LinkPurpose.Handover));

    public void HandoverLinkDown(int peer, string reason) => _peers.Tell(new PeerEvents.LinkDown(peer, LinkPurpose.Handover, reason));

    public void Noticed(string what) => _flows.Tell(new FlowEvents.Noticed(what));

    private void Tell(object handoverObject, object news)
    {
        if (_actors.TryGetValue(handoverObject, out var actor))
            actor.Tell(news);
    }
}
