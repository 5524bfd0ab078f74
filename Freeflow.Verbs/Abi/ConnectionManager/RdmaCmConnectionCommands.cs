using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi.ConnectionManager;

// Listening, connecting and events. Layouts: rdma/rdma_user_cm.h, rdma/ib_user_verbs.h.

/// <summary>What the ends of a connection tell each other (<c>struct rdma_ucm_conn_param</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ConnectionParameters
{
    public uint QpNum;
    public uint Qkey;
    public PrivateDataBytes PrivateData;
    public byte PrivateDataLen;
    public byte Srq;
    public byte ResponderResources;
    public byte InitiatorDepth;
    public byte FlowControl;
    public byte RetryCount;
    public byte RnrRetryCount;
    public byte Valid;
}

/// <summary>Where a datagram service is (<c>struct rdma_ucm_ud_param</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DatagramParameters
{
    public uint QpNum;
    public uint Qkey;
    public AddressHandleAttributes AhAttr;
    public PrivateDataBytes PrivateData;
    public byte PrivateDataLen;
    private readonly byte _reserved0;
    private readonly byte _reserved1;
    private readonly byte _reserved2;
    private readonly byte _reserved3;
    private readonly byte _reserved4;
    private readonly byte _reserved5;
    private readonly byte _reserved6;
}

/// <summary>Enhanced connection establishment (<c>struct rdma_ucm_ece</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EnhancedConnection
{
    public uint VendorId;
    public uint AttrMod;
}

/// <summary>Asks for a connection (<c>struct rdma_ucm_connect</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ConnectCommand
{
    public ConnectionParameters ConnParam;
    public uint Id;
    private readonly uint _reserved;
    public EnhancedConnection Ece;
}

/// <summary>Listens (<c>struct rdma_ucm_listen</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ListenCommand
{
    public uint Id;
    public uint Backlog;
}

/// <summary>Accepts a request, or answers a response (<c>struct rdma_ucm_accept</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct AcceptCommand
{
    public ulong Uid;
    public ConnectionParameters ConnParam;
    public uint Id;
    private readonly uint _reserved;
    public EnhancedConnection Ece;
}

/// <summary>Refuses a request (<c>struct rdma_ucm_reject</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RejectCommand
{
    public uint Id;
    public byte PrivateDataLen;
    public byte Reason;
    private readonly ushort _reserved;
    public PrivateDataBytes PrivateData;
}

/// <summary>Ends a connection (<c>struct rdma_ucm_disconnect</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DisconnectCommand
{
    public uint Id;
}

/// <summary>Tells of a QP's async event (<c>struct rdma_ucm_notify</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NotifyCommand
{
    public uint Id;
    public uint Event;
}

/// <summary>Asks how a QP is to be changed (<c>struct rdma_ucm_init_qp_attr</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct InitQpAttrCommand
{
    public ulong Response;
    public uint Id;
    public uint QpState;
}

/// <summary>Takes the next event (<c>struct rdma_ucm_get_event</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GetEventCommand
{
    public ulong Response;
}

/// <summary>A route out of a port (<c>struct ib_uverbs_global_route</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GlobalRoute
{
    public Gid Dgid;
    public uint FlowLabel;
    public byte SgidIndex;
    public byte HopLimit;
    public byte TrafficClass;
    private readonly byte _reserved;
}

/// <summary>An address vector as kernel interfaces return it (<c>struct ib_uverbs_ah_attr</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct AddressHandleAttributes
{
    public GlobalRoute Grh;
    public ushort Dlid;
    public byte Sl;
    public byte SrcPathBits;
    public byte StaticRate;
    public byte IsGlobal;
    public byte PortNum;
    private readonly byte _reserved;
}

/// <summary>How a QP is to be changed (<c>struct ib_uverbs_qp_attr</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QpAttributesResponse
{
    public uint QpAttrMask;
    public uint QpState;
    public uint CurQpState;
    public uint PathMtu;
    public uint PathMigState;
    public uint Qkey;
    public uint RqPsn;
    public uint SqPsn;
    public uint DestQpNum;
    public uint QpAccessFlags;
    public AddressHandleAttributes AhAttr;
    public AddressHandleAttributes AltAhAttr;
    public uint MaxSendWr;
    public uint MaxRecvWr;
    public uint MaxSendSge;
    public uint MaxRecvSge;
    public uint MaxInlineData;
    public ushort PkeyIndex;
    public ushort AltPkeyIndex;
    public byte EnSqdAsyncNotify;
    public byte SqDraining;
    public byte MaxRdAtomic;
    public byte MaxDestRdAtomic;
    public byte MinRnrTimer;
    public byte PortNum;
    public byte Timeout;
    public byte RetryCnt;
    public byte RnrRetry;
    public byte AltPortNum;
    public byte AltTimeout;
    private readonly byte _reserved0;
    private readonly uint _reserved1;
}
