using System.Runtime.InteropServices;

#pragma warning disable CS0169 // reserved fields only hold their place

namespace Freeflow.Verbs.Abi;

/// <summary>
/// ATTACH_MCAST and DETACH_MCAST (<c>struct ib_uverbs_attach_mcast</c> and <c>struct ib_uverbs_detach_mcast</c>, rdma/ib_user_verbs.h):
/// a UD QP joins or leaves a group. The LID means nothing on RoCE, but belongs to the attachment's name.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct MulticastCommand
{
    public Gid Group;
    public uint QpHandle;
    public ushort Mlid;
    private readonly ushort _reserved;
}
