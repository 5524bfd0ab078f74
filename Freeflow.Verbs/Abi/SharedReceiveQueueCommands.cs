using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi;

// SRQs. Layouts: rdma/ib_user_verbs.h; what the rxe driver adds: rdma/rdma_user_rxe.h.

/// <summary><c>enum ib_srq_type</c></summary>
public enum SharedReceiveQueueType : uint
{
    Basic = 0,
    Xrc = 1,
    TagMatching = 2,
}

/// <summary><c>enum ib_srq_attr_mask</c></summary>
[Flags]
public enum SharedReceiveQueueAttributes : uint
{
    None = 0,
    MaxWr = 1 << 0,
    Limit = 1 << 1,
}

/// <summary>Makes an SRQ (<c>struct ib_uverbs_create_srq</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateSrqCommand
{
    public ulong Response;
    public ulong UserHandle;
    public uint PdHandle;
    public uint MaxWr;
    public uint MaxSge;
    public uint SrqLimit;
}

/// <summary>Makes an SRQ of some type (<c>struct ib_uverbs_create_xsrq</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateXsrqCommand
{
    public ulong Response;
    public ulong UserHandle;
    public SharedReceiveQueueType SrqType;
    public uint PdHandle;
    public uint MaxWr;
    public uint MaxSge;
    public uint SrqLimit;
    public uint MaxNumTags;
    public uint XrcdHandle;
    public uint CqHandle;
}

/// <summary>
/// The new SRQ (<c>struct ib_uverbs_create_srq_resp</c>); a <see cref="CreateSrqDriverResponse"/> follows.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateSrqResponse
{
    public uint SrqHandle;
    public uint MaxWr;
    public uint MaxSge;
    public uint Srqn;
}

/// <summary><c>struct rxe_create_srq_resp</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateSrqDriverResponse
{
    public MmapInfo Ring;
    public uint SrqNumber;
    private readonly uint _reserved;
}

/// <summary>Changes an SRQ (<c>struct ib_uverbs_modify_srq</c>); a <see cref="ModifySrqDriverCommand"/> follows.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ModifySrqCommand
{
    public uint SrqHandle;
    public SharedReceiveQueueAttributes AttrMask;
    public uint MaxWr;
    public uint SrqLimit;
}

/// <summary>Where in the process the new ring's <see cref="MmapInfo"/> is to be written (<c>struct rxe_modify_srq_cmd</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ModifySrqDriverCommand
{
    public ulong MmapInfoAddress;
}

/// <summary>Asks for an SRQ's attributes (<c>struct ib_uverbs_query_srq</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QuerySrqCommand
{
    public ulong Response;
    public uint SrqHandle;
    private readonly uint _reserved;
}

/// <summary>An SRQ's attributes (<c>struct ib_uverbs_query_srq_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QuerySrqResponse
{
    public uint MaxWr;
    public uint MaxSge;
    public uint SrqLimit;
    private readonly uint _reserved;
}

/// <summary>Destroys an SRQ (<c>struct ib_uverbs_destroy_srq</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DestroySrqCommand
{
    public ulong Response;
    public uint SrqHandle;
    private readonly uint _reserved;
}

/// <summary>The number of async events that were ever delivered for the SRQ (<c>struct ib_uverbs_destroy_srq_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DestroySrqResponse
{
    public uint EventsReported;
}
