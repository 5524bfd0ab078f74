using System.Collections.Concurrent;
using Akka.Actor;
using Freeflow.Actors.CompletionQueues;
using Freeflow.Actors.Peers;
using Freeflow.Actors.QueuePairs;
using Freeflow.Actors.SharedReceiveQueues;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Links;

namespace Freeflow.Actors;

/// <summary>Turns what the engine reports into messages to the actors concerned. Runs on the engine's thread: it only tells.</summary>
public sealed class EngineNews : IEngineEvents
{
    private readonly ConcurrentDictionary<object, IActorRef> _actors = new(ReferenceEqualityComparer.Instance);
    private volatile IActorRef _peers = ActorRefs.Nobody;

    public void Watch(object engineObject, IActorRef actor) => _actors[engineObject] = actor;

    public void Forget(object engineObject) => _actors.TryRemove(engineObject, out _);

    public void WatchLinks(IActorRef peers) => _peers = peers;

    public void QueuePairFailed(EngineQueuePair queuePair, QueuePairFault fault) =>
        Tell(queuePair, new QueuePairEvents.Failed(fault));

    public void CommunicationEstablished(EngineQueuePair queuePair) => Tell(queuePair, QueuePairEvents.Established.Instance);

    public void SendQueueDrained(EngineQueuePair queuePair) => Tell(queuePair, QueuePairEvents.Drained.Instance);

    public void CompletionQueueOverrun(EngineCompletionQueue completionQueue) =>
        Tell(completionQueue, CompletionQueueEvents.Overrun.Instance);

    public void SharedReceiveQueueLimit(EngineReceiveQueue queue) => Tell(queue, SharedReceiveQueueEvents.LimitReached.Instance);

    public void LastReceiveTaken(EngineQueuePair queuePair) => Tell(queuePair, QueuePairEvents.LastReceiveTaken.Instance);

    public void LinkUp(int peer) => _peers.Tell(new PeerEvents.LinkUp(peer, LinkPurpose.Data));

    public void LinkDown(int peer, string reason) => _peers.Tell(new PeerEvents.LinkDown(peer, LinkPurpose.Data, reason));

    private void Tell(object engineObject, object news)
    {
        if (_actors.TryGetValue(engineObject, out var actor))
            actor.Tell(news);
    }
}
