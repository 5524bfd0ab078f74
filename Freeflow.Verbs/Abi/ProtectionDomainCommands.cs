using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi;

// ALLOC_PD and DEALLOC_PD. Layouts: rdma/ib_user_verbs.h.

/// <summary>Makes a PD (<c>struct ib_uverbs_alloc_pd</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct AllocPdCommand
{
    public ulong Response;
}

/// <summary>The new PD (<c>struct ib_uverbs_alloc_pd_resp</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct AllocPdResponse
{
    public uint PdHandle;
}

/// <summary>Frees a PD (<c>struct ib_uverbs_dealloc_pd</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DeallocPdCommand
{
    public uint PdHandle;
}
