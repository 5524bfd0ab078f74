using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Channel;

#pragma warning disable CS0169 // reserved fields only hold their place

// What the shim and the router say to each other, as Freeflow.Shim/protocol.h lays it out.

/// <summary><c>enum ff_type</c></summary>
public enum ShimMessageType : ushort
{
    Hello = 1,
    Command = 2,
    Mmap = 3,
    Share = 4,
    Listen = 5,
    Resolve = 6,
}

/// <summary><c>enum ff_kind</c></summary>
public enum ShimConnectionKind : uint
{
    Sysfs = 1,
    Uverbs = 2,
    Tcp = 3,
    RdmaCm = 4,
}

/// <summary>Constants of the protocol.</summary>
public static class ShimProtocol
{
    public const uint Version = 1;
    public const uint Magic = 0x31764646;
    public const int MaximumMessage = 16384;
    public const int MaximumDescriptors = 4;
    public const uint NoDescriptor = uint.MaxValue;
    public const int MaximumShares = 64;

    /// <summary>In DESTROY_ID's reserved field: rather EAGAIN than an event that is withdrawn under its reader.</summary>
    public const uint Patient = 1;
}

/// <summary><c>struct ff_header</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct ShimHeader
{
    public uint Magic;
    public ShimMessageType Type;
    private readonly ushort _reserved;
    public uint Sequence;
    public uint Length;
    public int Error;
    public uint DescriptorPatch;
}

/// <summary><c>struct ff_hello</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct ShimHello
{
    public uint Version;
    public ShimConnectionKind Kind;
}

/// <summary><c>struct ff_hello_reply</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct ShimHelloReply
{
    public uint Version;
    public uint DoorbellBytes;
    public ulong Token;
}

/// <summary><c>struct ff_mmap</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct ShimMmap
{
    public ulong Offset;
    public ulong Length;
}

/// <summary><c>struct ff_share_request</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct ShimShareRequest
{
    public ulong Address;
    public ulong Length;
}

/// <summary><c>struct ff_share</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct ShimShare
{
    public ulong Address;
    public ulong Length;
    public ulong Offset;
    public uint Protection;
    private readonly uint _reserved;
}
