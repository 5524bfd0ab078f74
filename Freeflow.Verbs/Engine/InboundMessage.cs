using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>A request as it reaches a responder, from a QP of this router or from a link.</summary>
internal readonly struct InboundRequest
{
    public WorkRequestOpcode Opcode { get; init; }

    public uint Sequence { get; init; }

    /// <summary>Bytes of the whole message.</summary>
    public uint Length { get; init; }

    public ulong RemoteAddress { get; init; }

    public uint RemoteKey { get; init; }

    /// <summary>Immediate data, or the key to invalidate.</summary>
    public uint Immediate { get; init; }

    public bool Solicited { get; init; }

    /// <summary>The sender's QPN, of a datagram only.</summary>
    public uint SourceQp { get; init; }

    public ulong CompareAdd { get; init; }

    public ulong Swap { get; init; }
}

/// <summary>The message that is being placed at a responder; at most one a QP, since placement is in order.</summary>
internal struct InboundMessage
{
    public bool Active;
    public InboundRequest Request;
    public uint Progress;
    public MemoryCursor Cursor;
}

/// <summary>The receive WQE that the current message uses, copied from the ring.</summary>
internal struct HeldReceive
{
    public bool Held;
    public ulong WorkRequestId;
    public int SgeCount;
    public uint Length;
}

/// <summary>What a responder says to a request.</summary>
internal enum Verdict : byte
{
    /// <summary>Go on.</summary>
    Accept,

    /// <summary>It was done before: acknowledge it again, place nothing.</summary>
    Duplicate,

    /// <summary>Say nothing; the requester knows already or will find out by itself.</summary>
    Drop,

    /// <summary>No such QP, or not in a state to receive: on a wire nothing would come back.</summary>
    NotReady,

    /// <summary>No receive is posted.</summary>
    ReceiverNotReady,

    /// <summary>A message is missing before this one.</summary>
    SequenceError,

    InvalidRequest,
    RemoteAccessError,
    RemoteOperationError,
}

/// <summary>An answer that a responder owes, in the order of the requests: read data, an atomic's result, or a NAK.</summary>
internal struct OwedResponse
{
    public ResponseKind Kind;
    public Verdict Nak;
    public uint Sequence;
    public uint Length;
    public uint Progress;
    public ulong Address;
    public uint RemoteKey;
    public ulong Original;
}

internal enum ResponseKind : byte
{
    Read,
    Atomic,
    Nak,
}
