using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;

namespace Freeflow.Actors.ConnectionManagement;

/// <summary>One write() to an rdma_cm descriptor, taken apart (rdma/rdma_user_cm.h, <c>struct rdma_ucm_cmd_hdr</c>).</summary>
public sealed class RdmaCmCall
{
    private RdmaCmCall(RdmaCmCommand command, ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> value, int room)
    {
        Command = command;
        Body = body;
        Value = value;
        Room = room;
    }

    public RdmaCmCommand Command { get; }

    /// <summary>What follows the header, as long as the header says.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>What the shim has put behind it: the value that SET_OPTION only points to.</summary>
    public ReadOnlyMemory<byte> Value { get; }

    /// <summary>Bytes of response that the caller has room for.</summary>
    public int Room { get; }

    /// <summary>Null when the bytes are no command: the kernel says EINVAL.</summary>
    public static RdmaCmCall? TryParse(ReadOnlyMemory<byte> bytes)
    {
        if (!MemoryMarshal.TryRead<RdmaCmHeader>(bytes.Span, out var header) || header.Cmd > RdmaCmCommand.JoinMcast)
            return null;
        var rest = bytes[Unsafe.SizeOf<RdmaCmHeader>()..];
        return header.In > rest.Length ? null : new RdmaCmCall(header.Cmd, rest[..header.In], rest[header.In..], header.Out);
    }

    /// <summary>Reads the body; false when it is too short.</summary>
    public bool TryRead<T>(out T body)
        where T : struct => MemoryMarshal.TryRead(Body.Span, out body);

    /// <summary>Reads a body that older libraries send without its end, which is zero then.</summary>
    public bool TryReadFrom<T>(int atLeast, out T body)
        where T : struct => PartialStructure.TryRead(Body.Span, atLeast, out body);

    /// <summary>A structure's bytes, cut to the caller's room.</summary>
    public byte[] Respond<T>(in T response)
        where T : struct
    {
        var bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in response));
        return bytes[..Math.Min(bytes.Length, Room)].ToArray();
    }
}
