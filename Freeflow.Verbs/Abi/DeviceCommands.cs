using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi;

// GET_CONTEXT, QUERY_DEVICE and its extended form. Layouts: rdma/ib_user_verbs.h.

/// <summary>Opens the context (<c>struct ib_uverbs_get_context</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GetContextCommand
{
    public ulong Response;
}

/// <summary>The async descriptor takes the place of AsyncFd (<c>struct ib_uverbs_get_context_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GetContextResponse
{
    public uint AsyncFd;
    public uint NumCompVectors;
}

/// <summary>Asks for the device attributes (<c>struct ib_uverbs_query_device</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QueryDeviceCommand
{
    public ulong Response;
}

/// <summary>Device attributes; GUIDs are big-endian (<c>struct ib_uverbs_query_device_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QueryDeviceResponse
{
    public ulong FwVer;
    public ulong NodeGuid;
    public ulong SysImageGuid;
    public ulong MaxMrSize;
    public ulong PageSizeCap;
    public uint VendorId;
    public uint VendorPartId;
    public uint HwVer;
    public uint MaxQp;
    public uint MaxQpWr;
    public uint DeviceCapFlags;
    public uint MaxSge;
    public uint MaxSgeRd;
    public uint MaxCq;
    public uint MaxCqe;
    public uint MaxMr;
    public uint MaxPd;
    public uint MaxQpRdAtom;
    public uint MaxEeRdAtom;
    public uint MaxResRdAtom;
    public uint MaxQpInitRdAtom;
    public uint MaxEeInitRdAtom;
    public uint AtomicCap;
    public uint MaxEe;
    public uint MaxRdd;
    public uint MaxMw;
    public uint MaxRawIpv6Qp;
    public uint MaxRawEthyQp;
    public uint MaxMcastGrp;
    public uint MaxMcastQpAttach;
    public uint MaxTotalMcastQpAttach;
    public uint MaxAh;
    public uint MaxFmr;
    public uint MaxMapPerFmr;
    public uint MaxSrq;
    public uint MaxSrqWr;
    public uint MaxSrqSge;
    public ushort MaxPkeys;
    public byte LocalCaAckDelay;
    public byte PhysPortCnt;
    private readonly byte _reserved0;
    private readonly byte _reserved1;
    private readonly byte _reserved2;
    private readonly byte _reserved3;
}

/// <summary>Asks for the extended device attributes (<c>struct ib_uverbs_ex_query_device</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ExQueryDeviceCommand
{
    public uint CompMask;
    private readonly uint _reserved;
}

/// <summary>On-demand paging; all zero here (<c>struct ib_uverbs_odp_caps</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct OdpCapabilities
{
    public ulong GeneralCaps;
    public uint RcOdpCaps;
    public uint UcOdpCaps;
    public uint UdOdpCaps;
    private readonly uint _reserved;
}

/// <summary>Receive-side scaling; all zero here (<c>struct ib_uverbs_rss_caps</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RssCapabilities
{
    public uint SupportedQpts;
    public uint MaxRwqIndirectionTables;
    public uint MaxRwqIndirectionTableSize;
    private readonly uint _reserved;
}

/// <summary>Tag matching; all zero here (<c>struct ib_uverbs_tm_caps</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct TagMatchingCapabilities
{
    public uint MaxRndvHdrSize;
    public uint MaxNumTags;
    public uint Flags;
    public uint MaxOps;
    public uint MaxSge;
    private readonly uint _reserved;
}

/// <summary>CQ moderation; all zero here (<c>struct ib_uverbs_cq_moderation_caps</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CqModerationCapabilities
{
    public ushort MaxCqModerationCount;
    public ushort MaxCqModerationPeriod;
    private readonly uint _reserved;
}

/// <summary>Extended device attributes; truncated to what the caller has room for, as ResponseLength says (<c>struct ib_uverbs_ex_query_device_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ExQueryDeviceResponse
{
    public QueryDeviceResponse Base;
    public uint CompMask;
    public uint ResponseLength;
    public OdpCapabilities OdpCaps;
    public ulong TimestampMask;
    public ulong HcaCoreClock;
    public ulong DeviceCapFlagsEx;
    public RssCapabilities RssCaps;
    public uint MaxWqTypeRq;
    public uint RawPacketCaps;
    public TagMatchingCapabilities TmCaps;
    public CqModerationCapabilities CqModerationCaps;
    public ulong MaxDmSize;
    public uint XrcOdpCaps;
    private readonly uint _reserved;
}
