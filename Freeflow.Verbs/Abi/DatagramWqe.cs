using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Abi;

/// <summary>
/// What a send WQE of a UD QP says of the destination (<c>struct rxe_send_wr</c>, its <c>ud</c>). Libraries from rdma-core 37 on
/// name an address handle; older ones leave its number 0 and write the address vector itself (<c>struct rxe_av</c>).
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
public struct DatagramWqe
{
    public const int Size = 88;

    [FieldOffset(24)] public uint RemoteQpn;
    [FieldOffset(28)] public uint RemoteQkey;
    [FieldOffset(36)] public uint AhNumber;
    [FieldOffset(64)] public Gid Dgid;
    [FieldOffset(80)] public uint FlowLabel;
    [FieldOffset(84)] public byte SgidIndex;
    [FieldOffset(85)] public byte HopLimit;
    [FieldOffset(86)] public byte TrafficClass;
}
