using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;

namespace Freeflow.Fuzz.Channel;

/// <summary>Lays commands out as the libraries do.</summary>
internal static class Commands
{
    public const int HeaderBytes = 8;
    public const int ExtendedHeaderBytes = 24;

    private const int Word = 4;
    private const int ExtendedWord = 8;

    // Where responses are wanted means something to the shim alone; extended commands must have a place for one.
    private const ulong Somewhere = 0x1000;

    public static byte[] Plain<T>(UverbsCommand command, T body, int room, params ReadOnlySpan<byte> driver)
        where T : struct
    {
        var bytes = new byte[HeaderBytes + Unsafe.SizeOf<T>() + driver.Length];
        MemoryMarshal.Write(bytes, new CommandHeader { Command = (uint)command, InWords = (ushort)(bytes.Length / Word), OutWords = (ushort)(room / Word) });
        MemoryMarshal.Write(bytes.AsSpan(HeaderBytes), body);
        driver.CopyTo(bytes.AsSpan(HeaderBytes + Unsafe.SizeOf<T>()));
        return bytes;
    }

    public static byte[] Extended<T>(UverbsCommand command, T body, int room, int driverRoom = 0)
        where T : struct
    {
        var words = (Unsafe.SizeOf<T>() + ExtendedWord - 1) / ExtendedWord;
        var bytes = new byte[ExtendedHeaderBytes + (words * ExtendedWord)];
        MemoryMarshal.Write(bytes, new CommandHeader
        {
            Command = (uint)command | UverbsCommandFlags.Extended, InWords = (ushort)words, OutWords = (ushort)(room / ExtendedWord),
        });
        MemoryMarshal.Write(bytes.AsSpan(HeaderBytes), new ExtendedCommandHeader { Response = Somewhere, ProviderOutWords = (ushort)(driverRoom / ExtendedWord) });
        MemoryMarshal.Write(bytes.AsSpan(ExtendedHeaderBytes), body);
        return bytes;
    }

    public static byte[] OfManager<T>(RdmaCmCommand command, T body, int room, params ReadOnlySpan<byte> behind)
        where T : struct
    {
        var bytes = new byte[HeaderBytes + Unsafe.SizeOf<T>() + behind.Length];
        MemoryMarshal.Write(bytes, new RdmaCmHeader { Cmd = command, In = (ushort)Unsafe.SizeOf<T>(), Out = (ushort)room });
        MemoryMarshal.Write(bytes.AsSpan(HeaderBytes), body);
        behind.CopyTo(bytes.AsSpan(HeaderBytes + Unsafe.SizeOf<T>()));
        return bytes;
    }

    /// <summary>What follows the headers of a uverbs command.</summary>
    public static ReadOnlySpan<byte> BodyOf(ReadOnlySpan<byte> bytes) =>
        bytes[((MemoryMarshal.Read<CommandHeader>(bytes).Command & UverbsCommandFlags.Extended) != 0 ? ExtendedHeaderBytes : HeaderBytes)..];
}
