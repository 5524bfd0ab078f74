using Freeflow.Verbs.Abi;

namespace Freeflow.Verbs.Engine;

/// <summary>Where the datagram of a send operation goes; one a slot of a UD QP's send queue.</summary>
internal struct DatagramTarget
{
    public DatagramRoute Route;
    public uint Qpn;
    public uint Qkey;

    /// <summary>Which router has the address; <see cref="EngineQueuePair.NoPeer"/> when none is known.</summary>
    public int Peer;
}

/// <summary>A datagram as it reaches a router: all that its receivers look at.</summary>
internal readonly struct Datagram
{
    public ulong Tenant { get; init; }

    public DatagramRoute Route { get; init; }

    public uint SourceQp { get; init; }

    public uint DestinationQp { get; init; }

    public uint Qkey { get; init; }

    public uint Sequence { get; init; }

    public WorkRequestOpcode Opcode { get; init; }

    public uint Immediate { get; init; }

    public bool Solicited { get; init; }

    /// <summary>Whether a QP of this router has sent it.</summary>
    public bool IsLocal { get; init; }
}

/// <summary>A datagram's bytes: in the sender's registered memory, or in a buffer of the router's.</summary>
internal readonly ref struct DatagramPayload
{
    public DatagramPayload(ReadOnlySpan<byte> bytes)
    {
        Bytes = bytes;
        Length = bytes.Length;
    }

    public DatagramPayload(in MemoryCursor cursor, int length)
    {
        Cursor = cursor;
        Length = length;
        IsRegistered = true;
    }

    public int Length { get; }

    public bool IsRegistered { get; }

    public ReadOnlySpan<byte> Bytes { get; }

    public MemoryCursor Cursor { get; }
}
