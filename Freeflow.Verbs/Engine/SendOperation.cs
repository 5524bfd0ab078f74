using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>How far a posted work request has come.</summary>
internal enum OperationState : byte
{
    /// <summary>Not read from the ring yet.</summary>
    Posted,

    /// <summary>Copied out of the ring and checked; some of it may be on its way.</summary>
    Loaded,

    /// <summary>All of it is with the peer, whose answer is awaited.</summary>
    Sent,

    /// <summary>Finished, with <see cref="SendOperation.Status"/>; its completion waits for those before it.</summary>
    Done,
}

/// <summary>
/// The router's own copy of a send WQE with its progress. It is made once, before any check, since the application can
/// change the ring at any time; a retry sends from this copy too.
/// </summary>
internal struct SendOperation
{
    public ulong WorkRequestId;
    public ulong RemoteAddress;
    public ulong CompareAdd;
    public ulong Swap;
    public WorkRequestOpcode Opcode;
    public SendFlags Flags;
    public uint RemoteKey;

    /// <summary>Immediate data, the key to invalidate, or a binding's access flags.</summary>
    public uint Immediate;

    /// <summary>Bytes of the message: the sum of its SGEs, or of its inline data.</summary>
    public uint Length;

    public int SgeCount;

    /// <summary>Number of the message on this QP; counts on from the SQ PSN. A local operation has that of the message behind it.</summary>
    public uint Sequence;

    /// <summary>Number among the messages that use up a receive at the peer (the specification's SSN).</summary>
    public uint SendNumber;

    /// <summary>Bytes handed over, or for a read received, so far.</summary>
    public uint Progress;

    /// <summary>Whether a local responder has accepted the message's beginning.</summary>
    public bool Begun;

    public OperationState State;
    public WorkCompletionStatus Status;

    /// <summary>Where in its memory the operation stands.</summary>
    public MemoryCursor Cursor;

    public readonly bool IsRead => Opcode == WorkRequestOpcode.RdmaRead;

    public readonly bool IsAtomic => Opcode is WorkRequestOpcode.AtomicCompareAndSwap or WorkRequestOpcode.AtomicFetchAndAdd;

    /// <summary>Whether the peer answers with data (and max_rd_atomic limits how many are under way).</summary>
    public readonly bool AwaitsData => IsRead || IsAtomic;

    /// <summary>Whether it is done here, and the peer hears nothing of it.</summary>
    public readonly bool IsLocal => Opcode is WorkRequestOpcode.LocalInvalidate or WorkRequestOpcode.BindMw;

    // A binding: RemoteAddress is where the window begins, RemoteKey brings the new key's lower bits.
    public readonly ulong WindowLength => CompareAdd;

    public readonly uint RegionKey => (uint)Swap;

    public readonly uint WindowKey => (uint)(Swap >> 32);

    public readonly AccessFlags WindowAccess => (AccessFlags)Immediate;

    public readonly bool IsInline => (Flags & SendFlags.Inline) != 0;

    /// <summary>Whether the message uses up a receive at the peer.</summary>
    public readonly bool ConsumesReceive =>
        Opcode is WorkRequestOpcode.Send or WorkRequestOpcode.SendWithImmediate or WorkRequestOpcode.SendWithInvalidate
            or WorkRequestOpcode.RdmaWriteWithImmediate;

    public readonly WorkCompletionOpcode CompletionOpcode => Opcode switch
    {
        WorkRequestOpcode.RdmaWrite or WorkRequestOpcode.RdmaWriteWithImmediate => WorkCompletionOpcode.RdmaWrite,
        WorkRequestOpcode.RdmaRead => WorkCompletionOpcode.RdmaRead,
        WorkRequestOpcode.AtomicCompareAndSwap => WorkCompletionOpcode.CompareSwap,
        WorkRequestOpcode.AtomicFetchAndAdd => WorkCompletionOpcode.FetchAdd,
        WorkRequestOpcode.LocalInvalidate => WorkCompletionOpcode.LocalInvalidate,
        WorkRequestOpcode.BindMw => WorkCompletionOpcode.BindMw,
        _ => WorkCompletionOpcode.Send,
    };
}
