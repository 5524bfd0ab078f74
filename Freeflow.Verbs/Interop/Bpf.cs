using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Interop;

/// <summary>Programs in the kernel and the maps that they look into (bpf(2); needs CAP_BPF, before Linux 5.8 CAP_SYS_ADMIN).</summary>
internal static unsafe partial class Bpf
{
    /// <summary>Helpers of bpf-helpers(7).</summary>
    public const int LookUp = 1;
    public const int SocketCookie = 46;

    private const int MapCreate = 0;
    private const int MapUpdate = 2;
    private const int ProgramLoad = 5;
    private const uint Hash = 1;
    private const uint Array = 2;
    private const uint SocketFilter = 1;
    private const uint NotAllocatedAhead = 1;
    private const uint Mappable = 1024;
    private const int AttributeBytes = 128;

    // The call's number is the machine's own (asm/unistd.h).
    private static readonly long s_call = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 321 : 280;

    /// <summary>An array of 64-bit values, all 0, that can be mapped. Null when the kernel refuses, with its errno.</summary>
    public static SafeFileHandle? TryCreateArray(int entries, out int error) => TryCreateMap(Array, sizeof(uint), entries, Mappable, out error);

    /// <summary>A hash table with 64-bit keys and values, whose memory comes as it fills.</summary>
    public static SafeFileHandle? TryCreateHash(int entries, out int error) => TryCreateMap(Hash, sizeof(ulong), entries, NotAllocatedAhead, out error);

    /// <summary>Puts a value into a hash table, over the one before; 0 or -errno (E2BIG: it is full).</summary>
    public static int Update(SafeHandle map, ulong key, ulong value)
    {
        // union bpf_attr, BPF_MAP_UPDATE_ELEM: map_fd, key, value, flags
        var attribute = stackalloc ulong[4];
        attribute[0] = (uint)map.DangerousGetHandle();
        attribute[1] = (ulong)&key;
        attribute[2] = (ulong)&value;
        attribute[3] = 0;
        return Call(s_call, MapUpdate, attribute, 4 * sizeof(ulong)) < 0 ? -Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>A program for sockets' packets, checked by the kernel.</summary>
    public static SafeFileHandle? TryLoad(ReadOnlySpan<BpfInstruction> program, out int error)
    {
        var license = stackalloc byte[] { (byte)'M', (byte)'I', (byte)'T', 0 };
        fixed (BpfInstruction* start = program)
        {
            var attribute = new Attribute();
            attribute.Words[0] = SocketFilter;
            attribute.Words[1] = (uint)program.Length;
            *(ulong*)(attribute.Words + 2) = (ulong)start;
            *(ulong*)(attribute.Words + 4) = (ulong)license;
            return Descriptor(Call(s_call, ProgramLoad, &attribute, AttributeBytes), out error);
        }
    }

    private static SafeFileHandle? TryCreateMap(uint type, uint keyBytes, int entries, uint flags, out int error)
    {
        var attribute = new Attribute();
        attribute.Words[0] = type;
        attribute.Words[1] = keyBytes;
        attribute.Words[2] = sizeof(ulong);
        attribute.Words[3] = (uint)entries;
        attribute.Words[4] = flags;
        return Descriptor(Call(s_call, MapCreate, &attribute, AttributeBytes), out error);
    }

    private static SafeFileHandle? Descriptor(long result, out int error)
    {
        error = result < 0 ? Marshal.GetLastPInvokeError() : 0;
        return result < 0 ? null : new SafeFileHandle((nint)result, ownsHandle: true);
    }

    /// <summary>Room for <c>union bpf_attr</c>: what is not named is 0.</summary>
    private struct Attribute
    {
        public fixed uint Words[AttributeBytes / sizeof(uint)];
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long Call(long number, int command, void* attribute, int bytes);
}
