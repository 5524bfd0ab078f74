using System.Runtime.InteropServices;

#pragma warning disable CS0169 // padding

namespace Freeflow.Verbs.Interop;

/// <summary><c>struct msghdr</c> of 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MessageHeader
{
    public nint Name;
    public uint NameLength;
    private readonly uint _pad0;
    public nint Vectors;
    public nint VectorCount;
    public nint Control;
    public nint ControlLength;
    public int Flags;
    private readonly int _pad1;
}
