namespace Freeflow.Verbs.Engine;

/// <summary>What became wrong with a QP, and so which async event its owner gets.</summary>
public enum QueuePairFault
{
    /// <summary>A completion with an error was written; no async event is due.</summary>
    Completion,

    /// <summary>A peer asked for what the QP does not allow (IBV_EVENT_QP_REQ_ERR).</summary>
    InvalidRequest,

    /// <summary>A peer touched memory that it may not touch (IBV_EVENT_QP_ACCESS_ERR).</summary>
    AccessViolation,

    /// <summary>The QP can't go on at all (IBV_EVENT_QP_FATAL).</summary>
    Fatal,
}

/// <summary>What the engine reports. Called on the engine's thread: an implementation must only hand the news on.</summary>
public interface IEngineEvents
{
    /// <summary>The QP has gone to the error state by itself.</summary>
    void QueuePairFailed(EngineQueuePair queuePair, QueuePairFault fault);

    /// <summary>A first message arrived while the QP was in RTR.</summary>
    void CommunicationEstablished(EngineQueuePair queuePair);

    /// <summary>A QP in SQD has nothing under way any more.</summary>
    void SendQueueDrained(EngineQueuePair queuePair);

    /// <summary>A completion was lost because the CQ was full.</summary>
    void CompletionQueueOverrun(EngineCompletionQueue completionQueue);

    /// <summary>An SRQ has fewer receives left than its limit.</summary>
    void SharedReceiveQueueLimit(EngineReceiveQueue queue);

    /// <summary>A QP with an SRQ has gone to the error state and takes no receive any more.</summary>
    void LastReceiveTaken(EngineQueuePair queuePair);

    void LinkUp(int peer);

    void LinkDown(int peer, string reason);
}
