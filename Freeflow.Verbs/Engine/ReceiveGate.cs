using System.Diagnostics;
using Freeflow.Verbs.Links;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// Holds the messages of unreliable QPs back, within a bound, while their receiver has no receive posted. Nothing asks for that:
/// without it a message is lost as it may be. But engine, sender and receiver share their cores here, and a receiver that is not
/// scheduled for a moment would lose thousands.
/// </summary>
internal sealed class ReceiveGate(EngineCore core)
{
    private static readonly long s_bound = Stopwatch.Frequency / 5; // 200 ms
    private static readonly long s_lookAgain = Stopwatch.Frequency / 10_000; // 100 µs

    /// <summary>Whether the UC message may go now.</summary>
    public bool MayGo(EngineQueuePair qp, in SendOperation operation, DataLink? link)
    {
        if (!operation.ConsumesReceive || operation.Progress != 0 || operation.Begun)
            return true;
        var goes = !qp.Window.IsSettledOn(qp.RemoteGid, qp.RemoteQpn, alwaysThere: true)
            || (qp.Peer == EngineQueuePair.SameRouter
                ? HasReceive(qp, core.LocalPeerOf(qp)) || !Waits(qp)
                : link is null || IsKnown(qp, operation, link, DataLink.HeaderFrom(qp)));
        return Go(qp, goes);
    }

    /// <summary>Whether the datagram may go now.</summary>
    public bool MayGo(EngineQueuePair qp, in SendOperation operation, in DatagramTarget target, DataLink? link)
    {
        var goes = !qp.Window.IsSettledOn(target.Route.Remote, target.Qpn, alwaysThere: false)
            || (link is null
                ? HasReceive(qp, core.Responder.FindReceiver(qp.Connection.Port.Tenant, target.Route.Remote, target.Qpn)) || !Waits(qp)
                : IsKnown(qp, operation, link, DataLink.HeaderOf(qp, target)));
        return Go(qp, goes);
    }

    /// <summary>How many receives a QP has for a sender that asks; as good as enough where what comes is dropped anyway.</summary>
    public static uint Count(EngineQueuePair? qp) =>
        qp is { IsConnected: true, IsReliable: false } ? qp.Receives.Share + (qp.Receive.Held ? 1u : 0) : 1024;

    private static bool HasReceive(EngineQueuePair qp, EngineQueuePair? peer)
    {
        if (Count(peer) == 0)
            return false;
        qp.Window.Found();
        return true;
    }

    private static bool Go(EngineQueuePair qp, bool goes)
    {
        if (goes)
            qp.Window.Sent();
        return goes;
    }

    private bool IsKnown(EngineQueuePair qp, in SendOperation operation, DataLink link, FrameHeader question)
    {
        if (link.IsStalled)
            return true;
        if (qp.Window.ShouldAsk(operation.SendNumber, core.Now))
        {
            question.Type = FrameType.AskReceives;
            question.Sequence = operation.SendNumber;
            link.Send(question);
        }

        return qp.Window.Covers(operation.SendNumber) || !Waits(qp);
    }

    private bool Waits(EngineQueuePair qp)
    {
        if (!qp.Window.MayWait(core.Now, s_bound))
            return false;
        core.Clock.Set(qp, RetryReason.AwaitingRoom, core.Now + s_lookAgain);
        return true;
    }
}
