using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi;

// ALLOC_MW and DEALLOC_MW. Layouts: rdma/ib_user_verbs.h.

/// <summary>Makes a memory window (<c>struct ib_uverbs_alloc_mw</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct AllocMwCommand
{
    public ulong Response;
    public uint PdHandle;
    public MemoryWindowType MwType;
    private readonly byte _reserved0;
    private readonly byte _reserved1;
    private readonly byte _reserved2;
}

/// <summary>The new memory window and its key (<c>struct ib_uverbs_alloc_mw_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct AllocMwResponse
{
    public uint MwHandle;
    public uint Rkey;
}

/// <summary>Frees a memory window (<c>struct ib_uverbs_dealloc_mw</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DeallocMwCommand
{
    public uint MwHandle;
}
