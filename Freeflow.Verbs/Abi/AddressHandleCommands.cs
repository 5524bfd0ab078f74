using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi;

// CREATE_AH and DESTROY_AH. Layouts: rdma/ib_user_verbs.h, rdma/rdma_user_rxe.h.

/// <summary>An address vector as CREATE_AH has it (<c>struct ib_uverbs_ah_attr</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct AddressAttributes
{
    public Gid Dgid;
    public uint FlowLabel;
    public byte SgidIndex;
    public byte HopLimit;
    public byte TrafficClass;
    private readonly byte _reserved0;
    public ushort Dlid;
    public byte Sl;
    public byte SrcPathBits;
    public byte StaticRate;
    public byte IsGlobal;
    public byte PortNum;
    private readonly byte _reserved1;
}

/// <summary>Makes an address handle (<c>struct ib_uverbs_create_ah</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateAhCommand
{
    public ulong Response;
    public ulong UserHandle;
    public uint PdHandle;
    private readonly uint _reserved;
    public AddressAttributes Attributes;
}

/// <summary>
/// The new address handle (<c>struct ib_uverbs_create_ah_resp</c>) with what the driver adds (<c>struct rxe_create_ah_resp</c>):
/// the number by which work requests name it, never 0.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateAhResponse
{
    public uint AhHandle;
    public uint AhNumber;
    private readonly uint _reserved;
}

/// <summary>Destroys an address handle (<c>struct ib_uverbs_destroy_ah</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DestroyAhCommand
{
    public uint AhHandle;
}
