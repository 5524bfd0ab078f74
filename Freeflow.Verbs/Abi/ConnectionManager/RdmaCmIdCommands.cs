using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi.ConnectionManager;

// Ids, their addresses and options. Layouts: rdma/rdma_user_cm.h.

/// <summary>Makes an id (<c>struct rdma_ucm_create_id</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateIdCommand
{
    public ulong Uid;
    public ulong Response;
    public PortSpace Ps;
    public byte QpType;
    private readonly byte _reserved0;
    private readonly uint _reserved1;
}

/// <summary>The new id, or a joined group's (<c>struct rdma_ucm_create_id_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateIdResponse
{
    public uint Id;
}

/// <summary>Destroys an id, or leaves a group (<c>struct rdma_ucm_destroy_id</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DestroyIdCommand
{
    public ulong Response;
    public uint Id;

    /// <summary>Reserved in the kernel's; the shim's word about the reader of the id's events (<see cref="Channel.ShimProtocol.Patient"/>).</summary>
    public uint Patience;
}

/// <summary>How many events of it were handed out (<c>struct rdma_ucm_destroy_id_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DestroyIdResponse
{
    public uint EventsReported;
}

/// <summary>Binds to an IP address (<c>struct rdma_ucm_bind_ip</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BindIpCommand
{
    public ulong Response;
    public SocketAddressIn6 Addr;
    public uint Id;
}

/// <summary>Binds to an address (<c>struct rdma_ucm_bind</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BindCommand
{
    public uint Id;
    public ushort AddrSize;
    public ushort Reserved;
    public SocketAddressStorage Addr;
}

/// <summary>Finds the way to an IP address (<c>struct rdma_ucm_resolve_ip</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ResolveIpCommand
{
    public SocketAddressIn6 SrcAddr;
    public SocketAddressIn6 DstAddr;
    public uint Id;
    public uint TimeoutMs;
}

/// <summary>Finds the way to an address (<c>struct rdma_ucm_resolve_addr</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ResolveAddrCommand
{
    public uint Id;
    public uint TimeoutMs;
    public ushort SrcSize;
    public ushort DstSize;
    public uint Reserved;
    public SocketAddressStorage SrcAddr;
    public SocketAddressStorage DstAddr;
}

/// <summary>Finds a path (<c>struct rdma_ucm_resolve_route</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ResolveRouteCommand
{
    public uint Id;
    public uint TimeoutMs;
}

/// <summary>Sets an option; its value follows the command on the way to the router (<c>struct rdma_ucm_set_option</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SetOptionCommand
{
    public ulong Optval;
    public uint Id;
    public uint Level;
    public uint Optname;
    public uint Optlen;
}

/// <summary>Takes an id over from another descriptor (<c>struct rdma_ucm_migrate_id</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MigrateIdCommand
{
    public ulong Response;
    public uint Id;
    public uint Fd;
}

/// <summary>How many events of it were handed out before (<c>struct rdma_ucm_migrate_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MigrateIdResponse
{
    public uint EventsReported;
}

/// <summary>Joins the group of an IP address (<c>struct rdma_ucm_join_ip_mcast</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct JoinIpMcastCommand
{
    public ulong Response;
    public ulong Uid;
    public SocketAddressIn6 Addr;
    public uint Id;
}

/// <summary>Joins the group of an address (<c>struct rdma_ucm_join_mcast</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct JoinMcastCommand
{
    public ulong Response;
    public ulong Uid;
    public uint Id;
    public ushort AddrSize;
    public ushort JoinFlags;
    public SocketAddressStorage Addr;
}
