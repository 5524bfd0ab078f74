using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Links;

/// <summary>What a frame between two routers is.</summary>
public enum FrameType : byte
{
    /// <summary>A part of a send or write; the payload is its data.</summary>
    Data = 1,

    /// <summary>An RDMA READ; no payload.</summary>
    ReadRequest = 2,

    /// <summary>An atomic; no payload.</summary>
    AtomicRequest = 3,

    /// <summary>All messages up to <see cref="FrameHeader.Sequence"/> have arrived.</summary>
    Acknowledge = 4,

    /// <summary>A message was refused, for the reason in <see cref="FrameHeader.Reason"/>; all before it have arrived.</summary>
    Refuse = 5,

    /// <summary>A part of a READ's data.</summary>
    ReadResponse = 6,

    /// <summary>An atomic's result, in <see cref="FrameHeader.CompareAdd"/>.</summary>
    AtomicResponse = 7,

    Ping = 8,

    Pong = 9,

    /// <summary>The same as <see cref="Data"/> between UC QPs: nothing is answered.</summary>
    UnreliableData = 10,
}

/// <summary>
/// Starts every frame on a data link, little-endian; <see cref="PayloadLength"/> bytes follow. Data frames carry at most
/// <see cref="MaximumPayload"/> bytes, so that long messages of one QP leave room for those of others.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct FrameHeader
{
    public const int Size = 96;
    public const int MaximumPayload = 256 * 1024;

    public uint PayloadLength;
    public FrameType Type;
    public byte Opcode;
    public byte Solicited;
    public byte Reason;
    public uint DestinationQp;
    public uint SourceQp;
    public uint Sequence;

    /// <summary>Immediate data; in an acknowledgement, the receives announced so far.</summary>
    public uint Immediate;

    public ulong RemoteAddress;
    public uint RemoteKey;

    /// <summary>Bytes of the whole message.</summary>
    public uint TotalLength;

    /// <summary>Where in the message the payload lies.</summary>
    public uint Offset;

    /// <summary>In an RNR refusal, the timer code.</summary>
    public uint RnrTimer;

    public ulong CompareAdd;
    public ulong Swap;
    public Gid SourceGid;
    public Gid DestinationGid;
}
