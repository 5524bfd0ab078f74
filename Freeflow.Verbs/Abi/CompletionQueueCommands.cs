using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi;

// Completion channels and CQs. Layouts: rdma/ib_user_verbs.h.

/// <summary>Makes a completion channel (<c>struct ib_uverbs_create_comp_channel</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateCompChannelCommand
{
    public ulong Response;
}

/// <summary>The channel descriptor takes the place of Fd (<c>struct ib_uverbs_create_comp_channel_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateCompChannelResponse
{
    public uint Fd;
}

/// <summary>Makes a CQ; CompChannel is a descriptor number or -1 (<c>struct ib_uverbs_create_cq</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateCqCommand
{
    public ulong Response;
    public ulong UserHandle;
    public uint Entries;
    public uint CompVector;
    public int CompChannel;
    private readonly uint _reserved;
}

/// <summary>Makes a CQ, extended form (<c>struct ib_uverbs_ex_create_cq</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ExCreateCqCommand
{
    public ulong UserHandle;
    public uint Entries;
    public uint CompVector;
    public int CompChannel;
    public uint CompMask;
    public uint Flags;
    private readonly uint _reserved;
}

/// <summary>The new CQ; the ring's mminfo follows (<c>struct ib_uverbs_create_cq_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateCqResponse
{
    public uint CqHandle;
    public uint Entries;
}

/// <summary>The new CQ, extended form; the ring's mminfo follows (<c>struct ib_uverbs_ex_create_cq_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ExCreateCqResponse
{
    public CreateCqResponse Base;
    public uint CompMask;
    public uint ResponseLength;
}

/// <summary>Changes a CQ's size (<c>struct ib_uverbs_resize_cq</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ResizeCqCommand
{
    public ulong Response;
    public uint CqHandle;
    public uint Entries;
}

/// <summary>The size that was made; the new ring's mminfo follows (<c>struct ib_uverbs_resize_cq_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ResizeCqResponse
{
    public uint Entries;
    private readonly uint _reserved;
}

/// <summary>Asks for an event at the next completion (<c>struct ib_uverbs_req_notify_cq</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ReqNotifyCqCommand
{
    public uint CqHandle;
    public uint SolicitedOnly;
}

/// <summary>Destroys a CQ (<c>struct ib_uverbs_destroy_cq</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DestroyCqCommand
{
    public ulong Response;
    public uint CqHandle;
    private readonly uint _reserved;
}

/// <summary>The numbers of events that were ever delivered: the library waits until it has acknowledged as many (<c>struct ib_uverbs_destroy_cq_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DestroyCqResponse
{
    public uint CompEventsReported;
    public uint AsyncEventsReported;
}
