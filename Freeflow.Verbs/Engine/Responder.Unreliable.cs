using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

// UC (specification, 9.8.2 and 9.9.3): what can't be taken is dropped without a word, and a receive stays for the next message.
internal sealed partial class Responder
{
    /// <summary>
    /// Decides on a UC message. A new one always ends the one before it, whose rest is lost then; sequence numbers only show
    /// what is missing.
    /// </summary>
    private Verdict BeginUnreliable(EngineQueuePair qp, in InboundRequest request)
    {
        if (!qp.IsConnected)
            return Drop();
        Establish(qp);
        qp.Expected = request.Sequence;
        qp.Inbound = default;
        var isWrite = IsWrite(request.Opcode);
        if (request.Length > EngineLimits.MaximumMessage || (isWrite && (qp.Access & AccessFlags.RemoteWrite) == 0))
            return Drop();
        if (request.Opcode != WorkRequestOpcode.RdmaWrite)
        {
            if (!qp.Receive.Held && PostedReceives(qp) == 0)
                return Drop();
            if (!TryTakeReceive(qp, out _))
                return Verdict.Drop;
        }

        MemoryCursor cursor;
        if (isWrite)
        {
            cursor = WriteCursor(qp, request);
            if (!cursor.IsValid(core.Keys))
                return DropWithReceive(qp, WorkCompletionStatus.RemoteAccessError);
        }
        else
        {
            cursor = ReceiveCursor(qp);
            if (request.Length > qp.Receive.Length)
                return DropWithReceive(qp, WorkCompletionStatus.RemoteInvalidRequestError);
            if (!cursor.IsValid(core.Keys, request.Length))
                return ReceiveFailed(qp);
        }

        qp.Inbound = new InboundMessage { Active = true, Request = request, Cursor = cursor };
        return Verdict.Accept;
    }

    private Verdict UnreliablePlacementFailed(EngineQueuePair qp)
    {
        qp.Inbound.Active = false;
        return IsWrite(qp.Inbound.Request.Opcode) ? Drop() : ReceiveFailed(qp);
    }

    /// <summary>The application's own receive is wrong: an error of class A, whatever the transport.</summary>
    private Verdict ReceiveFailed(EngineQueuePair qp)
    {
        CompleteReceive(qp, WorkCompletionStatus.LocalProtectionError, default);
        core.Fail(qp, QueuePairFault.Completion);
        return Verdict.Drop;
    }

    /// <summary>
    /// A receive of the QP's own stays for the next message (class D); one that came from an SRQ is completed with an error, without
    /// harm to the QP (class E).
    /// </summary>
    private Verdict DropWithReceive(EngineQueuePair qp, WorkCompletionStatus status)
    {
        if (qp.Receives.IsShared && qp.Receive.Held)
            CompleteReceive(qp, status, default);
        return Drop();
    }

    private Verdict Drop()
    {
        core.Statistics.MessagesDropped++;
        return Verdict.Drop;
    }
}
