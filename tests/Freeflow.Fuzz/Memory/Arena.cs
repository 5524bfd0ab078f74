using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Fuzz.Memory;

/// <summary>
/// The memory that the process registers and lets be written to: slots at a fixed address, far from everything else of the
/// process, and between them guards that nobody may write to who was not given them.
/// </summary>
internal sealed unsafe partial class Arena : IDisposable
{
    public const ulong Start = 0x2000_0000_0000;
    public const int Slots = 8;
    public const ulong SlotBytes = 64 << 10;
    public const ulong Bytes = 2 * Slots * SlotBytes;

    // Nothing of the process but the arena lies below: program, libraries and heaps are above.
    private const ulong OthersFrom = 0x4000_0000_0000;
    private const ulong OthersTo = 0x8000_0000_0000;

    private const int ReadWrite = 3;
    private const int PrivateAnonymousFixed = 0x2 | 0x10 | 0x20;
    private const int SharedFixed = 0x1 | 0x10;
    private const byte Pattern = 0xa5;

    private readonly bool[] _isGiven = new bool[Slots];

    public Arena() => Renew();

    public static ulong SlotAt(int slot) => Start + (ulong)slot * 2 * SlotBytes;

    /// <summary>Moves an address, or the start of a range, that would reach into the rest of the process to where nothing is.</summary>
    public static ulong Tame(ulong address, ulong length)
    {
        var end = length > ulong.MaxValue - address ? ulong.MaxValue : address + length;
        return address < OthersTo && end > OthersFrom && address >= Start + Bytes ? address & (Start - 1) & ~0xfffffff0000UL : address;
    }

    /// <summary>The process gives the range to be written to.</summary>
    public void Give(ulong address, ulong length)
    {
        for (var guard = 0; guard < Slots; guard++)
        {
            var start = SlotAt(guard) + SlotBytes;
            if (address < start + SlotBytes && (length > ulong.MaxValue - address || address + length > start))
                _isGiven[guard] = true;
        }
    }

    /// <summary>Everything anew: slots of zeros, guards of a pattern.</summary>
    public void Renew()
    {
        Map(Start, Bytes);
        Array.Clear(_isGiven);
        for (var guard = 0; guard < Slots; guard++)
            new Span<byte>((void*)(SlotAt(guard) + SlotBytes), (int)SlotBytes).Fill(Pattern);
    }

    /// <summary>The number of a guard that somebody has written to; -1: none.</summary>
    public int Written()
    {
        for (var guard = 0; guard < Slots; guard++)
        {
            if (!_isGiven[guard] && new ReadOnlySpan<byte>((void*)(SlotAt(guard) + SlotBytes), (int)SlotBytes).ContainsAnyExcept(Pattern))
                return guard;
        }

        return -1;
    }

    public static void Unmap(int slot) => _ = Unmap((nint)SlotAt(slot), (nuint)SlotBytes);

    public static void Remap(int slot) => Map(SlotAt(slot), SlotBytes);

    public static void Protect(int slot, int protection) => _ = Protect((nint)SlotAt(slot), (nuint)SlotBytes, protection);

    /// <summary>Maps shared memory over a part of a slot; false where that is none.</summary>
    public static bool TryMapShared(SafeFileHandle memory, ulong address, ulong length, ulong offset)
    {
        var within = address >= Start && length <= SlotBytes && address + length <= Start + Bytes && (address - Start) % (2 * SlotBytes) + length <= SlotBytes;
        return within && Map((nint)address, (nuint)length, ReadWrite, SharedFixed, memory, (long)offset) != -1;
    }

    public void Dispose() => _ = Unmap(unchecked((nint)Start), (nuint)Bytes);

    private static void Map(ulong address, ulong length)
    {
        if (MapAnonymous((nint)address, (nuint)length, ReadWrite, PrivateAnonymousFixed, -1, 0) == -1)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "mmap");
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, SafeHandle descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MapAnonymous(nint address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);
}
