using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi;

// CREATE_QP, QUERY_QP, MODIFY_QP, DESTROY_QP and their extended forms. Layouts: rdma/ib_user_verbs.h.

/// <summary>Makes a QP (<c>struct ib_uverbs_create_qp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateQpCommand
{
    public ulong Response;
    public ulong UserHandle;
    public uint PdHandle;
    public uint SendCqHandle;
    public uint RecvCqHandle;
    public uint SrqHandle;
    public uint MaxSendWr;
    public uint MaxRecvWr;
    public uint MaxSendSge;
    public uint MaxRecvSge;
    public uint MaxInlineData;
    public byte SqSigAll;
    public byte QpType;
    public byte IsSrq;
    private readonly byte _reserved;
}

/// <summary>Makes a QP, extended form (<c>struct ib_uverbs_ex_create_qp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ExCreateQpCommand
{
    public ulong UserHandle;
    public uint PdHandle;
    public uint SendCqHandle;
    public uint RecvCqHandle;
    public uint SrqHandle;
    public uint MaxSendWr;
    public uint MaxRecvWr;
    public uint MaxSendSge;
    public uint MaxRecvSge;
    public uint MaxInlineData;
    public byte SqSigAll;
    public byte QpType;
    public byte IsSrq;
    private readonly byte _reserved;
    public uint CompMask;
    public uint CreateFlags;
    public uint RwqIndTblHandle;
    public uint SourceQpn;
}

/// <summary>The new QP; the rings' mminfo (receive, then send) follow (<c>struct ib_uverbs_create_qp_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateQpResponse
{
    public uint QpHandle;
    public uint QpNumber;
    public uint MaxSendWr;
    public uint MaxRecvWr;
    public uint MaxSendSge;
    public uint MaxRecvSge;
    public uint MaxInlineData;
    private readonly uint _reserved;
}

/// <summary>The new QP, extended form; the rings' mminfo follow (<c>struct ib_uverbs_ex_create_qp_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ExCreateQpResponse
{
    public CreateQpResponse Base;
    public uint CompMask;
    public uint ResponseLength;
}

/// <summary>An address vector (<c>struct ib_uverbs_qp_dest</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QpDestination
{
    public Gid Dgid;
    public uint FlowLabel;
    public ushort Dlid;
    private readonly ushort _reserved;
    public byte SgidIndex;
    public byte HopLimit;
    public byte TrafficClass;
    public byte Sl;
    public byte SrcPathBits;
    public byte StaticRate;
    public byte IsGlobal;
    public byte PortNum;
}

/// <summary>Asks for a QP's attributes (<c>struct ib_uverbs_query_qp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QueryQpCommand
{
    public ulong Response;
    public uint QpHandle;
    public uint AttrMask;
}

/// <summary>A QP's attributes (<c>struct ib_uverbs_query_qp_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QueryQpResponse
{
    public QpDestination Dest;
    public QpDestination AltDest;
    public uint MaxSendWr;
    public uint MaxRecvWr;
    public uint MaxSendSge;
    public uint MaxRecvSge;
    public uint MaxInlineData;
    public uint Qkey;
    public uint RqPsn;
    public uint SqPsn;
    public uint DestQpNum;
    public uint QpAccessFlags;
    public ushort PkeyIndex;
    public ushort AltPkeyIndex;
    public byte QpState;
    public byte CurQpState;
    public byte PathMtu;
    public byte PathMigState;
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
    public byte SqSigAll;
    private readonly byte _reserved0;
    private readonly byte _reserved1;
    private readonly byte _reserved2;
    private readonly byte _reserved3;
    private readonly byte _reserved4;
}

/// <summary>Changes a QP; AttrMask is of enum ib_qp_attr_mask (<c>struct ib_uverbs_modify_qp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ModifyQpCommand
{
    public QpDestination Dest;
    public QpDestination AltDest;
    public uint QpHandle;
    public uint AttrMask;
    public uint Qkey;
    public uint RqPsn;
    public uint SqPsn;
    public uint DestQpNum;
    public uint QpAccessFlags;
    public ushort PkeyIndex;
    public ushort AltPkeyIndex;
    public byte QpState;
    public byte CurQpState;
    public byte PathMtu;
    public byte PathMigState;
    public byte EnSqdAsyncNotify;
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
    private readonly byte _reserved1;
}

/// <summary>Changes a QP, extended form (<c>struct ib_uverbs_ex_modify_qp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ExModifyQpCommand
{
    public ModifyQpCommand Base;
    public uint RateLimit;
    private readonly uint _reserved;
}

/// <summary>Answer to the extended form (<c>struct ib_uverbs_ex_modify_qp_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ExModifyQpResponse
{
    public uint CompMask;
    public uint ResponseLength;
}

/// <summary>Destroys a QP (<c>struct ib_uverbs_destroy_qp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DestroyQpCommand
{
    public ulong Response;
    public uint QpHandle;
    private readonly uint _reserved;
}

/// <summary>The number of async events that were ever delivered for the QP (<c>struct ib_uverbs_destroy_qp_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DestroyQpResponse
{
    public uint EventsReported;
}
