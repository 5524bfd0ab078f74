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

    /// <summary>
    /// How many receives has the QP, of messages that are dropped where there is none? Addressed as such a message is;
    /// <see cref="FrameHeader.Sequence"/> is the sender's number of its next one.
    /// </summary>
    AskReceives = 11,

    /// <summary>So many, in <see cref="FrameHeader.Immediate"/>; the number is the question's.</summary>
    TellReceives = 12,

    /// <summary>A whole datagram; see <see cref="FrameHeader.Tenant"/> and what follows it.</summary>
    Datagram = 13,

    /// <summary>
    /// Which multicast groups the router has members of: their names are the payload, <see cref="FrameHeader.Reason"/> is a
    /// <see cref="GroupNews"/>.
    /// </summary>
    Groups = 14,
}

/// <summary>What a router says of multicast groups.</summary>
public enum GroupNews : byte
{
    /// <summary>It has members of these, and of no others that it has named before.</summary>
    All = 0,

    /// <summary>Of these, too.</summary>
    Joined = 1,

    /// <summary>Of these no more.</summary>
    Left = 2,
}

/// <summary>
/// Starts every frame on a data link, little-endian; <see cref="PayloadLength"/> bytes follow. Data frames carry at most
/// <see cref="MaximumPayload"/> bytes, so that long messages of one QP leave room for those of others.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
public struct FrameHeader
{
    public const int Size = 96;
    public const int MaximumPayload = 256 * 1024;

    /// <summary>Bytes of the longest datagram, the largest MTU that there is.</summary>
    public const int MaximumDatagram = 4096;

    [FieldOffset(0)] public uint PayloadLength;
    [FieldOffset(4)] public FrameType Type;
    [FieldOffset(5)] public byte Opcode;
    [FieldOffset(6)] public byte Solicited;
    [FieldOffset(7)] public byte Reason;
    [FieldOffset(8)] public uint DestinationQp;
    [FieldOffset(12)] public uint SourceQp;
    [FieldOffset(16)] public uint Sequence;

    /// <summary>Immediate data; in an acknowledgement, the receives announced so far.</summary>
    [FieldOffset(20)] public uint Immediate;

    [FieldOffset(24)] public ulong RemoteAddress;

    /// <summary>The rkey; of a datagram the Q_Key.</summary>
    [FieldOffset(32)] public uint RemoteKey;

    /// <summary>Bytes of the whole message.</summary>
    [FieldOffset(36)] public uint TotalLength;

    /// <summary>Where in the message the payload lies.</summary>
    [FieldOffset(40)] public uint Offset;

    /// <summary>In an RNR refusal, the timer code.</summary>
    [FieldOffset(44)] public uint RnrTimer;

    [FieldOffset(48)] public ulong CompareAdd;
    [FieldOffset(56)] public ulong Swap;
    [FieldOffset(64)] public Gid SourceGid;
    [FieldOffset(80)] public Gid DestinationGid;

    /// <summary>Of a datagram: the tenant whose addresses these are (<see cref="Containers.Tenant.Key"/>).</summary>
    [FieldOffset(48)] public ulong Tenant;

    /// <summary>Of a datagram, from its address handle, with the two bytes after it.</summary>
    [FieldOffset(56)] public uint FlowLabel;

    [FieldOffset(60)] public byte HopLimit;
    [FieldOffset(61)] public byte TrafficClass;
}
