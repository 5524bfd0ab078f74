using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Abi;

#pragma warning disable CS0169 // reserved fields only hold their place

/// <summary>Where a ring lies for mmap (<c>struct mminfo</c>, rdma/rdma_user_rxe.h). Size in bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MmapInfo
{
    public ulong Offset;
    public uint Size;
    private readonly uint _pad;
}

/// <summary>Offsets in <c>struct rxe_queue_buf</c>, which starts every ring.</summary>
public static class RingLayout
{
    public const int Log2ElementSize = 0;
    public const int IndexMask = 4;
    public const int ProducerIndex = 128;
    public const int ConsumerIndex = 256;
    public const int Data = 384;
}

/// <summary>One scatter/gather entry (<c>struct rxe_sge</c>). Length in bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ScatterGatherEntry
{
    public ulong Address;
    public uint Length;
    public uint LocalKey;
}

/// <summary>
/// The fixed head of a send WQE (<c>struct rxe_send_wqe</c>), without the SGE list or inline data that follows at
/// <see cref="Size"/>. The union of the operations is laid out by field.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
public struct SendWqeHead
{
    public const int Size = 208;

    [FieldOffset(0)] public ulong WorkRequestId;
    [FieldOffset(12)] public WorkRequestOpcode Opcode;
    [FieldOffset(16)] public SendFlags Flags;
    [FieldOffset(20)] public uint ImmediateOrKey;
    [FieldOffset(24)] public ulong RemoteAddress;
    [FieldOffset(32)] public uint RdmaRemoteKey;
    [FieldOffset(32)] public ulong CompareAdd;
    [FieldOffset(40)] public ulong Swap;
    [FieldOffset(48)] public uint AtomicRemoteKey;
    [FieldOffset(32)] public ulong WindowLength;
    [FieldOffset(40)] public uint RegionKey;
    [FieldOffset(44)] public uint WindowKey;
    [FieldOffset(48)] public uint NewWindowKey;
    [FieldOffset(52)] public AccessFlags WindowAccess;
    [FieldOffset(184)] public uint Length;
    [FieldOffset(196)] public uint SgeCount;
}

/// <summary>The fixed head of a receive WQE (<c>struct rxe_recv_wqe</c>); the SGE list follows at <see cref="Size"/>.</summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
public struct ReceiveWqeHead
{
    public const int Size = 40;

    [FieldOffset(0)] public ulong WorkRequestId;
    [FieldOffset(16)] public uint Length;
    [FieldOffset(28)] public uint SgeCount;
}

/// <summary>One completion, as the library copies it out of a CQ ring (<c>struct ib_uverbs_wc</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct WorkCompletion
{
    public ulong WorkRequestId;
    public WorkCompletionStatus Status;
    public WorkCompletionOpcode Opcode;
    public uint VendorError;
    public uint ByteLength;
    public uint ImmediateOrKey;
    public uint QpNumber;
    public uint SourceQp;
    public WorkCompletionFlags Flags;
    public ushort PkeyIndex;
    public ushort Slid;
    public byte Sl;
    public byte DlidPathBits;
    public byte PortNumber;
    private readonly byte _reserved;
}
