using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi.ConnectionManager;

/// <summary>
/// One event (<c>struct rdma_ucm_event_resp</c>). Its parameters are a union: <c>rdma_ucm_conn_param</c> for connections,
/// <c>rdma_ucm_ud_param</c> for datagram services and groups.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public struct RdmaCmEventResponse
{
    public ulong Uid;
    public uint Id;
    public RdmaCmEventType Event;
    public int Status;
    public RdmaCmEventParameters Param;
    private readonly uint _reserved;
    public EnhancedConnection Ece;
}

/// <summary>Room for the larger of the two kinds.</summary>
[InlineArray(76)]
public struct RdmaCmEventParameters
{
    private uint _first;

    /// <summary>The parameters of a connection's event.</summary>
    public static RdmaCmEventParameters Of(in ConnectionParameters connection) => From(connection);

    /// <summary>The parameters of a datagram service's event.</summary>
    public static RdmaCmEventParameters Of(in DatagramParameters datagram) => From(datagram);

    private static RdmaCmEventParameters From<T>(in T value)
        where T : struct
    {
        RdmaCmEventParameters parameters = default;
        MemoryMarshal.Write(MemoryMarshal.AsBytes(new Span<RdmaCmEventParameters>(ref parameters)), value);
        return parameters;
    }
}
