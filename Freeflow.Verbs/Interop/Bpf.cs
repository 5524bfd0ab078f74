using System.ComponentModel;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Memory;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Interop;

/// <summary>Programs in the kernel and the maps that they look into (bpf(2); needs CAP_BPF, before Linux 5.8 CAP_SYS_ADMIN).</summary>
internal static unsafe partial class Bpf
{
    /// <summary>Helpers of bpf-helpers(7).</summary>
    public const int LookUp = 1;
    public const int SocketCookie = 46;
    public const int SetSocketOption = 49;
    public const int TcpSocket = 137;

    private const int MapCreate = 0;
    private const int MapLookUp = 1;
    private const int MapUpdate = 2;
    private const int MapDelete = 3;
    private const int ProgramLoad = 5;
    private const int LinkCreate = 28;
    private const int IteratorCreate = 33;
    private const uint Hash = 1;
    private const uint Array = 2;
    private const uint SocketFilter = 1;
    private const uint Tracing = 26;
    private const uint Iterator = 28; // BPF_TRACE_ITER
    private const uint NotAllocatedAhead = 1;
    private const uint Mappable = 1024;
    private const int AttributeBytes = 128;
    private const int LoadAttempts = 10;

    // The call's number is the machine's own (asm/unistd.h).
    private static readonly long s_call = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 321 : 280;

    /// <summary>
    /// Memory, all 0, that programs and this process have: an array of one element, so that programs know its address. Null when the kernel
    /// refuses, with its errno.
    /// </summary>
    public static SharedMemory? TryMapMemory(int bytes, out int error)
    {
        if (TryCreateMap(Array, sizeof(uint), bytes, 1, Mappable, out error) is not { } map)
            return null;
        try
        {
            return SharedMemory.Of(map, bytes);
        }
        catch (Win32Exception refused)
        {
            error = refused.NativeErrorCode;
            map.Dispose();
            return null;
        }
    }

    /// <summary>A hash table with 64-bit keys, whose memory comes as it fills.</summary>
    public static SafeFileHandle? TryCreateHash(int entries, out int error, int valueBytes = sizeof(ulong)) =>
        TryCreateMap(Hash, sizeof(ulong), valueBytes, entries, NotAllocatedAhead, out error);

    /// <summary>Puts a value into a hash table, over the one before; 0 or -errno (E2BIG: it is full).</summary>
    public static int Update<T>(SafeHandle map, ulong key, T value)
        where T : unmanaged => Entry(MapUpdate, map, key, &value);

    /// <summary>The value that a hash table has for a key; 0 or -errno (ENOENT).</summary>
    public static int LookUpValue<T>(SafeHandle map, ulong key, out T value)
        where T : unmanaged
    {
        fixed (T* into = &value)
            return Entry(MapLookUp, map, key, into);
    }

    /// <summary>0 or -errno (ENOENT).</summary>
    public static int Delete(SafeHandle map, ulong key) => Entry(MapDelete, map, key, null);

    /// <summary>A program for sockets' packets, checked by the kernel. It gives up checking (EAGAIN) when a signal is waiting.</summary>
    public static SafeFileHandle? TryLoad(ReadOnlySpan<BpfInstruction> program, out int error) => TryLoad(program, new Attribute(), SocketFilter, out error);

    /// <summary>Likewise one that is run for each thing of a kind.</summary>
    public static SafeFileHandle? TryLoadIterator(ReadOnlySpan<BpfInstruction> program, uint kind, out int error)
    {
        var attribute = new Attribute();
        attribute.Words[17] = Iterator; // expected_attach_type
        attribute.Words[27] = kind;     // attach_btf_id
        return TryLoad(program, attribute, Tracing, out error);
    }

    public static SafeFileHandle? TryLinkIterator(SafeHandle program, out int error)
    {
        // BPF_LINK_CREATE: prog_fd, target, attach_type
        var attribute = new Attribute();
        attribute.Words[0] = (uint)program.DangerousGetHandle();
        attribute.Words[2] = Iterator;
        return Descriptor(Call(s_call, LinkCreate, &attribute, AttributeBytes), out error);
    }

    /// <summary>What reading runs it.</summary>
    public static SafeFileHandle? TryBeginIterator(SafeHandle link, out int error)
    {
        var attribute = new Attribute();
        attribute.Words[0] = (uint)link.DangerousGetHandle();
        return Descriptor(Call(s_call, IteratorCreate, &attribute, AttributeBytes), out error);
    }

    private static SafeFileHandle? TryLoad(ReadOnlySpan<BpfInstruction> program, Attribute attribute, uint type, out int error)
    {
        // What an iterator calls is for programs that are free by the GPL.
        fixed (byte* license = "Dual MIT/GPL\0"u8)
        fixed (BpfInstruction* start = program)
        {
            attribute.Words[0] = type;
            attribute.Words[1] = (uint)program.Length;
            *(ulong*)(attribute.Words + 2) = (ulong)start;
            *(ulong*)(attribute.Words + 4) = (ulong)license;
            SafeFileHandle? loaded;
            var attempt = 0;
            do
                loaded = Descriptor(Call(s_call, ProgramLoad, &attribute, AttributeBytes), out error);
            while (loaded is null && error == Errno.EAGAIN && ++attempt < LoadAttempts);
            return loaded;
        }
    }

    private static int Entry(int command, SafeHandle map, ulong key, void* value)
    {
        // union bpf_attr, BPF_MAP_*_ELEM: map_fd, key, value, flags
        var attribute = stackalloc ulong[4];
        attribute[0] = (uint)map.DangerousGetHandle();
        attribute[1] = (ulong)&key;
        attribute[2] = (ulong)value;
        attribute[3] = 0;
        return Call(s_call, command, attribute, 4 * sizeof(ulong)) < 0 ? -Marshal.GetLastPInvokeError() : 0;
    }

    private static SafeFileHandle? TryCreateMap(uint type, uint keyBytes, int valueBytes, int entries, uint flags, out int error)
    {
        var attribute = new Attribute();
        attribute.Words[0] = type;
        attribute.Words[1] = keyBytes;
        attribute.Words[2] = (uint)valueBytes;
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
