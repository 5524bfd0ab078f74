using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>Takes work requests out of a QP's send ring and puts their completions into its CQ, in order.</summary>
internal sealed partial class SendQueue(EngineCore core)
{
    /// <summary>Whether anything is posted that has not started.</summary>
    public static bool HasPosted(EngineQueuePair qp) => qp.Next != qp.SendRing.Producer;

    public static bool HasUnderWay(EngineQueuePair qp) => qp.Head != qp.Next;

    /// <summary>
    /// Makes the router's copy of the WQE at <see cref="EngineQueuePair.Next"/> and checks it. A bad one becomes an
    /// operation that is already done, with the error as its status.
    /// </summary>
    public void Load(EngineQueuePair qp)
    {
        var slot = qp.Next;
        ref var operation = ref qp.Operations[slot];
        if (operation.State != OperationState.Posted)
            return;

        core.Statistics.WorkRequests++;
        var element = qp.SendRing.Slot(slot);
        var head = MemoryMarshal.Read<SendWqeHead>(element);
        operation = new SendOperation
        {
            WorkRequestId = head.WorkRequestId,
            Opcode = head.Opcode,
            Flags = head.Flags,
            Immediate = head.ImmediateOrKey,
            RemoteAddress = head.RemoteAddress,
            RemoteKey = head.RdmaRemoteKey,
            State = OperationState.Loaded,
            Sequence = qp.NextSequence,
        };
        if (operation.IsLocal)
        {
            qp.LocalOperations++;
            if (IsSupported(qp, operation.Opcode))
                LoadLocal(ref operation, head);
            else
                Stop(qp, ref operation, WorkCompletionStatus.LocalQpOperationError);
            return;
        }

        qp.NextSequence++;
        if (operation.IsAtomic)
        {
            operation.CompareAdd = head.CompareAdd;
            operation.Swap = head.Swap;
            operation.RemoteKey = head.AtomicRemoteKey;
        }

        if (qp.Type == QueuePairType.UnreliableDatagram)
        {
            LoadDatagram(qp, slot, head, element);
            return;
        }

        if (operation.ConsumesReceive)
            operation.SendNumber = qp.NextSendNumber++;

        var status = operation.IsInline
            ? LoadInline(qp, slot, head.Length, element[SendWqeHead.Size..])
            : LoadEntries(qp, slot, head.SgeCount, element[SendWqeHead.Size..]);
        if (status != WorkCompletionStatus.Success)
            Stop(qp, ref operation, status);
    }

    /// <summary>Ends an operation with an error; nothing after it starts, and the QP fails once all before it are done.</summary>
    public static void Stop(EngineQueuePair qp, ref SendOperation operation, WorkCompletionStatus status)
    {
        operation.State = OperationState.Done;
        operation.Status = status;
        qp.Stopped = true;
    }

    /// <summary>Writes the completions of the operations at the head that are done.</summary>
    public void Retire(EngineQueuePair qp)
    {
        while (qp.Head != qp.Next)
        {
            ref var operation = ref qp.Operations[qp.Head];
            if (operation.State != OperationState.Done)
                break;

            var failed = operation.Status != WorkCompletionStatus.Success;
            if (!failed)
                qp.Connection.Tally.Sent(operation);
            var signaled = failed || qp.SignalAll || (operation.Flags & SendFlags.Signaled) != 0;
            var completion = new WorkCompletion
            {
                WorkRequestId = operation.WorkRequestId,
                Status = operation.Status,
                Opcode = operation.CompletionOpcode,
                ByteLength = operation.Length,
                QpNumber = qp.Number,
                PortNumber = 1,
            };
            operation.State = OperationState.Posted;
            qp.SendsDone++;
            if (operation.IsLocal)
                qp.LocalOperations--;
            if (qp.Unacknowledged == qp.Head)
                qp.Unacknowledged = qp.SendRing.Next(qp.Head);
            qp.Head = qp.SendRing.Next(qp.Head);

            // The slot is free before the completion shows: who polls it may post again at once.
            qp.SendRing.Consumer = qp.Head;
            if (signaled)
                core.Complete(qp.SendCq, completion, solicited: false);
            if (failed)
            {
                core.Fail(qp, QueuePairFault.Completion);
                return;
            }
        }

        if (qp.State == QueuePairState.SendQueueDrain && qp.NotifyDrained && !qp.IsDraining)
        {
            qp.NotifyDrained = false;
            core.Events.SendQueueDrained(qp);
        }
    }

    /// <summary>Completes everything posted with a flush error.</summary>
    public void Flush(EngineQueuePair qp)
    {
        var producer = qp.SendRing.Producer;
        while (qp.Head != producer)
        {
            ref var operation = ref qp.Operations[qp.Head];
            if (operation.State == OperationState.Posted)
            {
                var head = MemoryMarshal.Read<SendWqeHead>(qp.SendRing.Slot(qp.Head));
                operation.WorkRequestId = head.WorkRequestId;
                operation.Opcode = head.Opcode;
            }

            var completion = new WorkCompletion
            {
                WorkRequestId = operation.WorkRequestId,
                Status = WorkCompletionStatus.WorkRequestFlushError,
                Opcode = operation.CompletionOpcode,
                QpNumber = qp.Number,
                PortNumber = 1,
            };
            operation = default;
            qp.Head = qp.SendRing.Next(qp.Head);
            qp.SendRing.Consumer = qp.Head;
            core.Complete(qp.SendCq, completion, solicited: false);
        }

        qp.Next = qp.Unacknowledged = qp.Head;
        qp.OutstandingReads = qp.LocalOperations = 0;
    }

    private static void LoadLocal(ref SendOperation operation, in SendWqeHead head)
    {
        if (operation.Opcode != WorkRequestOpcode.BindMw)
            return;
        operation.Immediate = (uint)head.WindowAccess;
        operation.RemoteKey = head.NewWindowKey;
        operation.CompareAdd = head.WindowLength;
        operation.Swap = ((ulong)head.WindowKey << 32) | head.RegionKey;
    }

    private WorkCompletionStatus LoadInline(EngineQueuePair qp, uint slot, uint length, ReadOnlySpan<byte> data)
    {
        ref var operation = ref qp.Operations[slot];
        if (!IsSupported(qp, operation.Opcode) || operation.AwaitsData || length > qp.Capabilities.MaxInline)
            return WorkCompletionStatus.LocalQpOperationError;
        operation.Length = length;
        data[..(int)length].CopyTo(qp.InlineData.AsSpan((int)slot * qp.Capabilities.MaxInline));
        return WorkCompletionStatus.Success;
    }

    private WorkCompletionStatus LoadEntries(EngineQueuePair qp, uint slot, uint count, ReadOnlySpan<byte> list)
    {
        ref var operation = ref qp.Operations[slot];
        if (!IsSupported(qp, operation.Opcode) || count > qp.Capabilities.MaxSendSge
            || (operation.AwaitsData && qp.MaxReadAtomic == 0))
            return WorkCompletionStatus.LocalQpOperationError;

        var entries = qp.SendEntries.AsSpan((int)slot * qp.Capabilities.MaxSendSge, (int)count);
        MemoryMarshal.Cast<byte, ScatterGatherEntry>(list)[..(int)count].CopyTo(entries);
        ulong length = 0;
        foreach (ref readonly var entry in entries)
            length += entry.Length;
        if (length > EngineLimits.MaximumMessage || (operation.IsAtomic && length < sizeof(ulong)))
            return WorkCompletionStatus.LocalLengthError;

        operation.Length = operation.IsAtomic ? sizeof(ulong) : (uint)length;
        operation.SgeCount = (int)count;
        operation.Cursor = qp.CursorOf(slot, operation.AwaitsData ? AccessFlags.LocalWrite : AccessFlags.None);
        return operation.Cursor.IsValid(core.Keys) ? WorkCompletionStatus.Success : WorkCompletionStatus.LocalProtectionError;
    }

    // The rest is the kernel's own, or what no rxe device has.
    private static bool IsSupported(EngineQueuePair qp, WorkRequestOpcode opcode) => qp.Type switch
    {
        QueuePairType.ReliableConnection => opcode is <= WorkRequestOpcode.SendWithInvalidate,
        QueuePairType.UnreliableConnection => opcode is <= WorkRequestOpcode.SendWithImmediate or WorkRequestOpcode.BindMw,
        _ => opcode is WorkRequestOpcode.Send or WorkRequestOpcode.SendWithImmediate,
    };
}
