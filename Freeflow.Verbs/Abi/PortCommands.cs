using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi;

// QUERY_PORT. Layouts: rdma/ib_user_verbs.h.

/// <summary>Asks for a port; ports count from 1 (<c>struct ib_uverbs_query_port</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QueryPortCommand
{
    public ulong Response;
    public byte PortNum;
    private readonly byte _reserved0;
    private readonly byte _reserved1;
    private readonly byte _reserved2;
    private readonly byte _reserved3;
    private readonly byte _reserved4;
    private readonly byte _reserved5;
    private readonly byte _reserved6;
}

/// <summary>Port attributes (<c>struct ib_uverbs_query_port_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct QueryPortResponse
{
    public uint PortCapFlags;
    public uint MaxMsgSz;
    public uint BadPkeyCntr;
    public uint QkeyViolCntr;
    public uint GidTblLen;
    public ushort PkeyTblLen;
    public ushort Lid;
    public ushort SmLid;
    public byte State;
    public byte MaxMtu;
    public byte ActiveMtu;
    public byte Lmc;
    public byte MaxVlNum;
    public byte SmSl;
    public byte SubnetTimeout;
    public byte InitTypeReply;
    public byte ActiveWidth;
    public byte ActiveSpeed;
    public byte PhysState;
    public byte LinkLayer;
    public byte Flags;
    private readonly byte _reserved;
}
