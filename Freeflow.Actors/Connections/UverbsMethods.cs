using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Connections;

/// <summary>
/// What the kernel says of a write() before it looks at what the command asks for (drivers/infiniband/core/uverbs_main.c,
/// verify_hdr): is there such a command on an rxe device, are request and response long enough.
/// </summary>
public static class UverbsMethods
{
    private const int ExtendedNumbers = 58;
    private const int Word = sizeof(uint);

    private static readonly Dictionary<(UverbsCommand Command, bool IsExtended), Sizes> s_sizes = new()
    {
        [(UverbsCommand.GetContext, false)] = Of<GetContextCommand, GetContextResponse>(),
        [(UverbsCommand.QueryDevice, false)] = Of<QueryDeviceCommand, QueryDeviceResponse>(),
        [(UverbsCommand.QueryPort, false)] = Of<QueryPortCommand, QueryPortResponse>(),
        [(UverbsCommand.AllocPd, false)] = Of<AllocPdCommand, AllocPdResponse>(),
        [(UverbsCommand.DeallocPd, false)] = Of<DeallocPdCommand>(),
        [(UverbsCommand.CreateAh, false)] = Of<CreateAhCommand>() with { Response = Word },
        [(UverbsCommand.DestroyAh, false)] = Of<DestroyAhCommand>(),
        [(UverbsCommand.RegMr, false)] = Of<RegMrCommand, RegMrResponse>(),
        [(UverbsCommand.ReregMr, false)] = Of<ReregMrCommand, ReregMrResponse>(),
        [(UverbsCommand.DeregMr, false)] = Of<DeregMrCommand>(),
        [(UverbsCommand.AllocMw, false)] = Of<AllocMwCommand, AllocMwResponse>(),
        [(UverbsCommand.DeallocMw, false)] = Of<DeallocMwCommand>(),
        [(UverbsCommand.CreateCompChannel, false)] = Of<CreateCompChannelCommand, CreateCompChannelResponse>(),
        [(UverbsCommand.CreateCq, false)] = Of<CreateCqCommand, CreateCqResponse>(),
        [(UverbsCommand.ResizeCq, false)] = Of<ResizeCqCommand, ResizeCqResponse>(),
        [(UverbsCommand.DestroyCq, false)] = Of<DestroyCqCommand, DestroyCqResponse>(),
        [(UverbsCommand.ReqNotifyCq, false)] = Of<ReqNotifyCqCommand>(),
        [(UverbsCommand.CreateQp, false)] = Of<CreateQpCommand, CreateQpResponse>(),
        [(UverbsCommand.QueryQp, false)] = Of<QueryQpCommand, QueryQpResponse>(),
        [(UverbsCommand.ModifyQp, false)] = Of<ModifyQpCommand>(),
        [(UverbsCommand.DestroyQp, false)] = Of<DestroyQpCommand, DestroyQpResponse>(),
        [(UverbsCommand.PostSend, false)] = new(24, 24, Word),
        [(UverbsCommand.AttachMcast, false)] = Of<MulticastCommand>(),
        [(UverbsCommand.DetachMcast, false)] = Of<MulticastCommand>(),
        [(UverbsCommand.CreateSrq, false)] = Of<CreateSrqCommand, CreateSrqResponse>(),
        [(UverbsCommand.CreateXsrq, false)] = Of<CreateXsrqCommand, CreateSrqResponse>(),
        [(UverbsCommand.ModifySrq, false)] = Of<ModifySrqCommand>(),
        [(UverbsCommand.QuerySrq, false)] = Of<QuerySrqCommand, QuerySrqResponse>(),
        [(UverbsCommand.DestroySrq, false)] = Of<DestroySrqCommand, DestroySrqResponse>(),

        // Of an extended command the last fields may be missing, and are zero then.
        [(UverbsCommand.QueryDevice, true)] = Of<ExQueryDeviceCommand>() with { Response = EndOf<ExQueryDeviceResponse>(nameof(ExQueryDeviceResponse.ResponseLength)) },
        [(UverbsCommand.CreateCq, true)] = Of<ExCreateCqCommand, ExCreateCqResponse>(),
        [(UverbsCommand.CreateQp, true)] = Of<ExCreateQpCommand, ExCreateQpResponse>() with { Request = EndOf<ExCreateQpCommand>(nameof(ExCreateQpCommand.CompMask)) },
        [(UverbsCommand.ModifyQp, true)] = Of<ExModifyQpCommand, ExModifyQpResponse>() with { Request = Marshal.SizeOf<ModifyQpCommand>() },
    };

    /// <summary>Bytes: the least that a request must have, all that it can say, and the least room for the core's response.</summary>
    private readonly record struct Sizes(int Request, int WholeRequest, int Response);

    /// <summary>Which command the bytes are; one that there is not when they are too few to say.</summary>
    public static UverbsCommand CommandOf(ReadOnlySpan<byte> bytes) =>
        MemoryMarshal.TryRead<CommandHeader>(bytes, out var header) ? (UverbsCommand)(header.Command & UverbsCommandFlags.NumberMask) : (UverbsCommand)uint.MaxValue;

    /// <summary>Whether one that is not refused asks for a new object.</summary>
    public static bool Creates(ReadOnlySpan<byte> bytes) =>
        MemoryMarshal.TryRead<CommandHeader>(bytes, out var header) && (UverbsCommand)(header.Command & UverbsCommandFlags.NumberMask)
            is UverbsCommand.AllocPd or UverbsCommand.CreateAh or UverbsCommand.RegMr or UverbsCommand.AllocMw or UverbsCommand.CreateCompChannel
            or UverbsCommand.CreateCq or UverbsCommand.CreateQp or UverbsCommand.CreateSrq or UverbsCommand.CreateXsrq or UverbsCommand.AttachMcast;

    /// <summary>0, or the errno for the bytes of one write().</summary>
    public static int Refuse(ReadOnlySpan<byte> bytes)
    {
        if (!MemoryMarshal.TryRead<CommandHeader>(bytes, out var header)
            || (header.Command & ~(UverbsCommandFlags.Extended | UverbsCommandFlags.NumberMask)) != 0)
            return Errno.EINVAL;
        var number = header.Command & UverbsCommandFlags.NumberMask;
        var isExtended = (header.Command & UverbsCommandFlags.Extended) != 0;
        if (s_sizes.TryGetValue(((UverbsCommand)number, isExtended), out var sizes))
            return isExtended ? RefuseExtended(bytes, header, sizes) : RefusePlain(bytes, header, sizes);
        var isBeyond = number >= (isExtended ? ExtendedNumbers : (uint)UverbsCommand.OpenQp + 1);
        return isBeyond || header.InWords * Word == bytes.Length ? Errno.EOPNOTSUPP : Errno.EINVAL;
    }

    private static int RefusePlain(ReadOnlySpan<byte> bytes, in CommandHeader header, Sizes sizes)
    {
        if (header.InWords * Word != bytes.Length)
            return Errno.EINVAL;
        return bytes.Length < Marshal.SizeOf<CommandHeader>() + sizes.Request || header.OutWords * Word < sizes.Response ? Errno.ENOSPC : 0;
    }

    private static int RefuseExtended(ReadOnlySpan<byte> bytes, in CommandHeader header, Sizes sizes)
    {
        const int unit = 8;
        var body = bytes[Marshal.SizeOf<CommandHeader>()..];
        if (!MemoryMarshal.TryRead<ExtendedCommandHeader>(body, out var extended))
            return Errno.EINVAL;
        body = body[Marshal.SizeOf<ExtendedCommandHeader>()..];
        if ((header.InWords + extended.ProviderInWords) * unit != body.Length)
            return Errno.EINVAL;
        var core = body[..(header.InWords * unit)];
        if (core.Length < sizes.Request)
            return Errno.ENOSPC;
        var hasRoom = header.OutWords != 0 || extended.ProviderOutWords != 0;
        if (extended.Reserved != 0 || hasRoom != (extended.Response != 0))
            return Errno.EINVAL;
        if (hasRoom && header.OutWords * unit < sizes.Response)
            return Errno.ENOSPC;

        // A newer library may send more than is known here, as long as it asks for nothing by it.
        return core.Length > sizes.WholeRequest && core[sizes.WholeRequest..].ContainsAnyExcept((byte)0) ? Errno.EOPNOTSUPP : 0;
    }

    private static Sizes Of<TRequest>()
        where TRequest : struct => new(Marshal.SizeOf<TRequest>(), Marshal.SizeOf<TRequest>(), 0);

    private static Sizes Of<TRequest, TResponse>()
        where TRequest : struct
        where TResponse : struct => Of<TRequest>() with { Response = Marshal.SizeOf<TResponse>() };

    private static int EndOf<T>(string field)
        where T : struct => (int)Marshal.OffsetOf<T>(field) + Word;
}
