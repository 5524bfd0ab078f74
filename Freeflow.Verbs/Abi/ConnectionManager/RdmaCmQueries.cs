using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi.ConnectionManager;

// What an id knows of addresses and paths. Layouts: rdma/rdma_user_cm.h, rdma/ib_user_sa.h.

/// <summary>Asks for addresses, paths or GIDs (<c>struct rdma_ucm_query</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RdmaCmQueryCommand
{
    public ulong Response;
    public uint Id;
    public RdmaCmQueryOption Option;
}

/// <summary>What a query asks for.</summary>
public enum RdmaCmQueryOption : uint
{
    Address = 0,
    Path = 1,
    Gid = 2,
}

/// <summary>A path as it is known to the kernel (<c>struct ib_user_path_rec</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct UserPathRecord
{
    public Gid Dgid;
    public Gid Sgid;
    public ushort Dlid;
    public ushort Slid;
    public uint RawTraffic;
    public uint FlowLabel;
    public uint Reversible;
    public uint Mtu;
    public ushort Pkey;
    public byte HopLimit;
    public byte TrafficClass;
    public byte NumbPath;
    public byte Sl;
    public byte MtuSelector;
    public byte RateSelector;
    public byte Rate;
    public byte PacketLifeTimeSelector;
    public byte PacketLifeTime;
    public byte Preference;
}

/// <summary>Answer to QUERY_ROUTE (<c>struct rdma_ucm_query_route_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QueryRouteResponse
{
    public ulong NodeGuid;
    public UserPathRecord Route0;
    public UserPathRecord Route1;
    public SocketAddressIn6 SrcAddr;
    public SocketAddressIn6 DstAddr;
    public uint NumPaths;
    public byte PortNum;
    private readonly byte _reserved0;
    private readonly ushort _reserved1;
    public uint IbdevIndex;
    private readonly uint _reserved2;
}

/// <summary>Answer to QUERY for addresses and GIDs (<c>struct rdma_ucm_query_addr_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QueryAddressResponse
{
    public ulong NodeGuid;
    public byte PortNum;
    private readonly byte _reserved0;
    public ushort Pkey;
    public ushort SrcSize;
    public ushort DstSize;
    public SocketAddressStorage SrcAddr;
    public SocketAddressStorage DstAddr;
    public uint IbdevIndex;
    private readonly uint _reserved1;
}

/// <summary>Begins the answer to QUERY for paths, which follow (<c>struct rdma_ucm_query_path_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QueryPathResponse
{
    public uint NumPaths;
    private readonly uint _reserved;
}

/// <summary>One path of it, and the value of RDMA_OPTION_IB_PATH (<c>struct ib_path_rec_data</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PathRecordData
{
    /// <summary>IB_PATH_GMP, IB_PATH_PRIMARY and IB_PATH_BIDIRECTIONAL: the one kind of path that is taken and given.</summary>
    public const uint PrimaryFlags = 1 | 2 | 8 | 32;

    public uint Flags;
    private readonly uint _reserved;
    public PackedPath PathRec;
}
