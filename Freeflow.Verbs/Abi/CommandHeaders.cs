using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi;

// The headers in front of every uverbs command. Layouts: rdma/ib_user_verbs.h.

/// <summary>Starts every command; the words count 4-byte units (8-byte ones in an extended command) (<c>struct ib_uverbs_cmd_hdr</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CommandHeader
{
    public uint Command;
    public ushort InWords;
    public ushort OutWords;
}

/// <summary>Follows the header of an extended command (<c>struct ib_uverbs_ex_cmd_hdr</c>)</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ExtendedCommandHeader
{
    public ulong Response;
    public ushort ProviderInWords;
    public ushort ProviderOutWords;
    public uint Reserved;
}
