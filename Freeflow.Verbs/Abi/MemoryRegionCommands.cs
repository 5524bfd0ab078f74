using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi;

// REG_MR and DEREG_MR. Layouts: rdma/ib_user_verbs.h.

/// <summary>Registers [Start, Start+Length) to be addressed from HcaVa on (<c>struct ib_uverbs_reg_mr</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RegMrCommand
{
    public ulong Response;
    public ulong Start;
    public ulong Length;
    public ulong HcaVa;
    public uint PdHandle;
    public uint AccessFlags;
}

/// <summary>The new MR and its keys (<c>struct ib_uverbs_reg_mr_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RegMrResponse
{
    public uint MrHandle;
    public uint Lkey;
    public uint Rkey;
}

/// <summary>Ends a registration (<c>struct ib_uverbs_dereg_mr</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DeregMrCommand
{
    public uint MrHandle;
}
