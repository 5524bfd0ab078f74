using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;

namespace Freeflow.Actors.Connections;

/// <summary>
/// One write() to the uverbs descriptor, taken apart: which command, its body, and how many bytes of response the caller
/// has room for (rdma/ib_user_verbs.h, <c>struct ib_uverbs_cmd_hdr</c>).
/// </summary>
public sealed class UverbsCall
{
    private const int WordBytes = 4;
    private const int ExtendedWordBytes = 8;

    private UverbsCall(UverbsCommand command, bool isExtended, ReadOnlyMemory<byte> body, int room)
    {
        Command = command;
        IsExtended = isExtended;
        Body = body;
        Room = room;
    }

    public UverbsCommand Command { get; }

    public bool IsExtended { get; }

    /// <summary>What follows the headers.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>Bytes of response, core and driver together.</summary>
    public int Room { get; }

    /// <summary>Null when the bytes are no command: the kernel says EINVAL.</summary>
    public static UverbsCall? TryParse(ReadOnlyMemory<byte> bytes)
    {
        if (!MemoryMarshal.TryRead<CommandHeader>(bytes.Span, out var header))
            return null;
        var command = (UverbsCommand)(header.Command & UverbsCommandFlags.NumberMask);
        var rest = bytes[Marshal.SizeOf<CommandHeader>()..];
        if ((header.Command & UverbsCommandFlags.Extended) == 0)
        {
            return (header.Command & ~UverbsCommandFlags.NumberMask) != 0 || header.InWords * WordBytes != bytes.Length
                ? null
                : new UverbsCall(command, false, rest, header.OutWords * WordBytes);
        }

        if (!MemoryMarshal.TryRead<ExtendedCommandHeader>(rest.Span, out var extended))
            return null;
        rest = rest[Marshal.SizeOf<ExtendedCommandHeader>()..];
        return (header.InWords + extended.ProviderInWords) * ExtendedWordBytes != rest.Length
            ? null
            : new UverbsCall(command, true, rest, (header.OutWords + extended.ProviderOutWords) * ExtendedWordBytes);
    }

    /// <summary>Reads the body; a body that is too short is no command.</summary>
    public bool TryRead<T>(out T body)
        where T : struct => MemoryMarshal.TryRead(Body.Span, out body);

    /// <summary>Reads an extended body, of which an older library may send less: the rest is zero.</summary>
    public bool TryReadExtended<T>(int atLeast, out T body)
        where T : struct => PartialStructure.TryRead(Body.Span, atLeast, out body);

    /// <summary>Lays a response out: the core structure and what the driver adds, cut to the caller's room.</summary>
    public byte[] Respond<T>(T core, params ReadOnlySpan<MmapInfo> rings)
        where T : struct => Respond<T, MmapInfo>(core, rings);

    /// <summary>The same where the driver adds something else.</summary>
    public byte[] Respond<TCore, TDriver>(TCore core, params ReadOnlySpan<TDriver> additions)
        where TCore : struct
        where TDriver : struct
    {
        var (size, step) = (Marshal.SizeOf<TCore>(), Marshal.SizeOf<TDriver>());
        var response = new byte[size + (additions.Length * step)];
        MemoryMarshal.Write(response, core);
        for (var i = 0; i < additions.Length; i++)
            MemoryMarshal.Write(response.AsSpan(size + (i * step)), additions[i]);
        return response.Length <= Room ? response : response[..Room];
    }
}
