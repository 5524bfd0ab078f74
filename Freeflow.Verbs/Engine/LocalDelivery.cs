using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

internal enum DeliveryStep : byte
{
    Done,

    /// <summary>A long message; go on in the next turn.</summary>
    Partial,

    /// <summary>The requester's own memory can't be read or written.</summary>
    SourceFault,

    /// <summary>The responder said no.</summary>
    Refused,
}

/// <summary>Carries a work request to a QP of the same router: one copy from memory to memory, no frame between.</summary>
internal sealed class LocalDelivery(EngineCore core)
{
    public DeliveryStep Deliver(
        EngineQueuePair qp, ref SendOperation operation, ref WorkBudget budget, out Verdict verdict, out byte rnrTimer)
    {
        rnrTimer = 0;
        if (core.LocalPeerOf(qp) is not { } peer)
        {
            verdict = Verdict.NotReady;
            return DeliveryStep.Refused;
        }

        rnrTimer = peer.MinRnrTimer;
        var request = RequestOf(operation);
        return operation.IsRead ? Read(peer, ref operation, request, ref budget, out verdict)
            : operation.IsAtomic ? Atomic(peer, ref operation, request, ref budget, out verdict)
            : Write(qp, peer, ref operation, request, ref budget, out verdict);
    }

    public static InboundRequest RequestOf(in SendOperation operation) => new()
    {
        Opcode = operation.Opcode,
        Sequence = operation.Sequence,
        Length = operation.Length,
        RemoteAddress = operation.RemoteAddress,
        RemoteKey = operation.RemoteKey,
        Immediate = operation.Immediate,
        Solicited = (operation.Flags & SendFlags.Solicited) != 0,
        CompareAdd = operation.CompareAdd,
        Swap = operation.Swap,
    };

    private DeliveryStep Write(
        EngineQueuePair qp, EngineQueuePair peer, ref SendOperation operation, in InboundRequest request, ref WorkBudget budget, out Verdict verdict)
    {
        verdict = Verdict.Accept;
        if (!operation.Begun || !Responder.IsUnderWay(peer, operation.Sequence))
        {
            operation.Progress = 0;
            verdict = core.Responder.Begin(peer, request);
            if (verdict == Verdict.Duplicate)
                return DeliveryStep.Done;
            if (verdict != Verdict.Accept)
                return DeliveryStep.Refused;
            operation.Begun = true;
        }

        var bytes = (int)Math.Min(operation.Length - operation.Progress, (uint)Math.Max(budget.Bytes, 1));
        var copied = operation.IsInline
            ? core.Memory.Scatter(ref peer.Inbound.Cursor, qp.InlineOf(qp.Next)) ? CopyResult.Done : CopyResult.DestinationFault
            : core.Memory.Copy(ref operation.Cursor, ref peer.Inbound.Cursor, bytes);
        if (operation.IsInline)
            bytes = (int)operation.Length;
        budget.Spend(bytes);
        core.Statistics.LocalBytes += bytes;
        if (copied == CopyResult.SourceFault)
            return DeliveryStep.SourceFault;
        if (copied == CopyResult.DestinationFault)
        {
            verdict = core.Responder.PlacementFailed(peer);
            return DeliveryStep.Refused;
        }

        operation.Progress += (uint)bytes;
        peer.Inbound.Progress = operation.Progress;
        if (operation.Progress < operation.Length)
            return DeliveryStep.Partial;
        core.Responder.Finish(peer);
        return DeliveryStep.Done;
    }

    private DeliveryStep Read(
        EngineQueuePair peer, ref SendOperation operation, in InboundRequest request, ref WorkBudget budget, out Verdict verdict)
    {
        verdict = Verdict.Accept;
        if (!operation.Begun)
        {
            verdict = core.Responder.BeginRead(peer, request);
            if (verdict != Verdict.Accept)
                return DeliveryStep.Refused;
            operation.Begun = true;
        }

        var bytes = (int)Math.Min(operation.Length - operation.Progress, (uint)Math.Max(budget.Bytes, 1));
        var from = Responder.ReadCursor(peer, operation.RemoteAddress, operation.RemoteKey, operation.Length);
        from.Skip(operation.Progress);
        var copied = core.Memory.Copy(ref from, ref operation.Cursor, bytes);
        budget.Spend(bytes);
        core.Statistics.LocalBytes += bytes;
        switch (copied)
        {
            case CopyResult.SourceFault:
                verdict = Verdict.RemoteAccessError;
                core.Fail(peer, QueuePairFault.AccessViolation);
                return DeliveryStep.Refused;
            case CopyResult.DestinationFault:
                return DeliveryStep.SourceFault;
        }

        operation.Progress += (uint)bytes;
        return operation.Progress < operation.Length ? DeliveryStep.Partial : DeliveryStep.Done;
    }

    private DeliveryStep Atomic(
        EngineQueuePair peer, ref SendOperation operation, in InboundRequest request, ref WorkBudget budget, out Verdict verdict)
    {
        budget.Spend(sizeof(ulong));
        verdict = core.Responder.Execute(peer, request, out var original);
        if (verdict != Verdict.Accept)
            return DeliveryStep.Refused;
        return core.Memory.Scatter(ref operation.Cursor, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in original)))
            ? DeliveryStep.Done
            : DeliveryStep.SourceFault;
    }
}
