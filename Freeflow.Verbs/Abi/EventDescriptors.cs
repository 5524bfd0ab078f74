using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi;

// What the event descriptors carry. Layouts: rdma/ib_user_verbs.h.

/// <summary>One async event; EventType is of enum ib_event_type, Element the user handle (<c>struct ib_uverbs_async_event_desc</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct AsyncEventDescriptor
{
    public ulong Element;
    public uint EventType;
    private readonly uint _reserved;
}

/// <summary>One completion event; CqHandle is the user handle (<c>struct ib_uverbs_comp_event_desc</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CompletionEventDescriptor
{
    public ulong CqHandle;
}
