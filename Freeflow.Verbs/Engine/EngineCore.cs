using System.Collections.Concurrent;
using System.Diagnostics;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Links;
using Freeflow.Verbs.Policy;

namespace Freeflow.Verbs.Engine;

/// <summary>What the requester, the responder and the links share. Lives on the engine's thread.</summary>
internal sealed class EngineCore
{
    private readonly Queue<EngineQueuePair> _runnable = new(256);

    public EngineCore(IEngineEvents events, IAddressResolver addresses)
    {
        Addresses = addresses;
        Events = events;
        Memory = new ScatterGather(Keys);
        Windows = new WindowOperations(Keys);
        Responder = new Responder(this);
        Requester = new Requester(this);
        Answers = new AnswerWatch(this);
        Groups = new MulticastGroups(this);
        Rates = new RateKeeper(this);
    }

    public IEngineEvents Events { get; }

    public IAddressResolver Addresses { get; }

    public KeyTable Keys { get; } = new();

    public ScatterGather Memory { get; }

    /// <summary>Who may talk to whom.</summary>
    public AccessPolicy Policy { get; set; } = AccessPolicy.Open;

    public Dictionary<uint, EngineQueuePair> QueuePairs { get; } = [];

    public Dictionary<int, DataLink> Links { get; } = [];

    /// <summary>Of each peer that a link was ever up to, and is still a member.</summary>
    public ConcurrentDictionary<int, PeerTally> Peers { get; } = new();

    public MulticastGroups Groups { get; }

    public RetryClock Clock { get; } = new();

    public Requester Requester { get; }

    public Responder Responder { get; }

    public AnswerWatch Answers { get; }

    public WindowOperations Windows { get; }

    public RateKeeper Rates { get; }

    public EngineStatistics Statistics { get; } = new();

    /// <summary>The time of this round, in <see cref="Stopwatch"/> ticks.</summary>
    public long Now { get; set; } = Stopwatch.GetTimestamp();

    public int RunnableCount => _runnable.Count;

    /// <summary>Has the QP run in this or the next round.</summary>
    public void Enqueue(EngineQueuePair queuePair)
    {
        if (queuePair.Queued || !queuePair.Attached)
            return;
        queuePair.Queued = true;
        _runnable.Enqueue(queuePair);
    }

    public EngineQueuePair Dequeue()
    {
        var queuePair = _runnable.Dequeue();
        queuePair.Queued = false;
        return queuePair;
    }

    /// <summary>The QP of this router that <paramref name="queuePair"/> talks to, if it agrees to that.</summary>
    public EngineQueuePair? LocalPeerOf(EngineQueuePair queuePair) =>
        QueuePairs.TryGetValue(queuePair.RemoteQpn, out var peer)
        && peer.Type == queuePair.Type
        && peer.IsConnectedTo(EngineQueuePair.SameRouter, queuePair.Number, queuePair.LocalGid, queuePair.RemoteGid)
            ? peer
            : null;

    /// <summary>Writes a completion; false when the CQ is full and it is lost.</summary>
    public bool Complete(EngineCompletionQueue completionQueue, in WorkCompletion completion, bool solicited)
    {
        Statistics.Completions++;
        completionQueue.Connection.Tally.Completed(completion.Status);
        if (completionQueue.TryPush(completion, solicited))
            return true;
        if (completionQueue.MarkOverrun())
            Events.CompletionQueueOverrun(completionQueue);
        return false;
    }

    /// <summary>A request of a QP's is sent again.</summary>
    public void CountRetry(EngineQueuePair queuePair)
    {
        Statistics.Retries++;
        queuePair.Connection.Tally.Retries++;
        if (Links.TryGetValue(queuePair.Peer, out var link))
            link.Tally.Retries++;
    }

    /// <summary>Takes a QP to the error state because of something that happened to it.</summary>
    public void Fail(EngineQueuePair queuePair, QueuePairFault fault)
    {
        if (queuePair.State == QueuePairState.Error)
            return;
        EnterError(queuePair);
        Events.QueuePairFailed(queuePair, fault);
    }

    /// <summary>Takes a QP to the error state: everything posted is flushed, now and until the QP is reset.</summary>
    public void EnterError(EngineQueuePair queuePair)
    {
        Settle(queuePair);
        queuePair.State = QueuePairState.Error;
        queuePair.Timer.Attempts = 0;
        Requester.Flush(queuePair);
        Responder.Flush(queuePair);
        FlushLater(queuePair);
        if (queuePair.Receives.IsShared)
            Events.LastReceiveTaken(queuePair);
    }

    /// <summary>Acknowledges what has arrived, while the QP still can: its peer must not take it for lost.</summary>
    public void Settle(EngineQueuePair queuePair)
    {
        if (queuePair.OwesAcknowledgement)
            Links.GetValueOrDefault(queuePair.Peer)?.Acknowledge(queuePair);
    }

    /// <summary>Receives are posted without a doorbell, so a QP in the error state is looked at again, ever less often.</summary>
    public void FlushLater(EngineQueuePair queuePair)
    {
        var wait = Math.Min(Stopwatch.Frequency / 10, Stopwatch.Frequency / 1000 << Math.Min(queuePair.Timer.Attempts++, 7));
        Clock.Set(queuePair, RetryReason.Flushing, Now + wait);
    }
}
