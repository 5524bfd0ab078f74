using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi;

// REG_MR, REREG_MR and DEREG_MR. Layouts: rdma/ib_user_verbs.h.

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

/// <summary><c>enum ib_mr_rereg_flags</c></summary>
[Flags]
public enum ReregistrationFlags : uint
{
    None = 0,
    Translation = 1 << 0,
    ProtectionDomain = 1 << 1,
    Access = 1 << 2,
}

/// <summary>Changes a registration (<c>struct ib_uverbs_rereg_mr</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ReregMrCommand
{
    public ulong Response;
    public uint MrHandle;
    public ReregistrationFlags Flags;
    public ulong Start;
    public ulong Length;
    public ulong HcaVa;
    public uint PdHandle;
    public uint AccessFlags;
}

/// <summary>The MR's keys (<c>struct ib_uverbs_rereg_mr_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ReregMrResponse
{
    public uint Lkey;
    public uint Rkey;
}

/// <summary>Ends a registration (<c>struct ib_uverbs_dereg_mr</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DeregMrCommand
{
    public uint MrHandle;
}
