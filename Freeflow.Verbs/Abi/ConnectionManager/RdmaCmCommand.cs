using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Abi.ConnectionManager;

/// <summary>Commands of /dev/infiniband/rdma_cm (rdma/rdma_user_cm.h).</summary>
public enum RdmaCmCommand : uint
{
    CreateId = 0,
    DestroyId = 1,
    BindIp = 2,
    ResolveIp = 3,
    ResolveRoute = 4,
    QueryRoute = 5,
    Connect = 6,
    Listen = 7,
    Accept = 8,
    Reject = 9,
    Disconnect = 10,
    InitQpAttr = 11,
    GetEvent = 12,
    GetOption = 13,
    SetOption = 14,
    Notify = 15,
    JoinIpMcast = 16,
    LeaveMcast = 17,
    MigrateId = 18,
    Query = 19,
    Bind = 20,
    ResolveAddr = 21,
    JoinMcast = 22,
}

/// <summary>Starts every command; <c>In</c> and <c>Out</c> are bytes of body and response (<c>struct rdma_ucm_cmd_hdr</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RdmaCmHeader
{
    public RdmaCmCommand Cmd;
    public ushort In;
    public ushort Out;
}

/// <summary><c>enum rdma_ucm_port_space</c></summary>
public enum PortSpace : ushort
{
    Ipoib = 0x0002,
    Ib = 0x013f,
    Tcp = 0x0106,
    Udp = 0x0111,
}

/// <summary>What an application is told in an event (<c>enum rdma_cm_event_type</c>, rdma/rdma_cma.h of rdma-core).</summary>
public enum RdmaCmEventType : uint
{
    AddressResolved = 0,
    AddressError = 1,
    RouteResolved = 2,
    RouteError = 3,
    ConnectRequest = 4,
    ConnectResponse = 5,
    ConnectError = 6,
    Unreachable = 7,
    Rejected = 8,
    Established = 9,
    Disconnected = 10,
    DeviceRemoval = 11,
    MulticastJoin = 12,
    MulticastError = 13,
    AddressChange = 14,
    TimewaitExit = 15,
}
