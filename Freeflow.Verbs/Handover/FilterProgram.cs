using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// The programs by which shared filters tell whose packets pass. They look at the socket that the kernel has found for a packet rather
/// than at the packet, which costs next to nothing: a connection gets only the packets of its own two ends, and of a listener, or of
/// one that connects, whom it may talk to is known as well. IPv6 packets do not pass: they are of connections whose ends lie elsewhere.
/// </summary>
internal static class FilterProgram
{
    // struct __sk_buff of linux/bpf.h
    private const int Protocol = 16;
    private const int Socket = 168;

    // struct bpf_sock: the peer's address and port in network order, the own port in the machine's.
    private const int LocalPort = 44;
    private const int PeerPort = 48;
    private const int PeerAddress = 52;

    private static readonly uint s_ipv4 = Network(0x0800); // ETH_P_IP

    /// <summary>A 16-bit number as it lies on the wire.</summary>
    public static ushort Network(ushort value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    /// <summary>For sockets that connect: the memory has 8 bytes for each local port, the peer's address and port in network order.</summary>
    public static BpfInstruction[] Connecting(SafeHandle passesAt) =>
    [
        BpfInstruction.LoadWord(2, 1, Protocol),
        BpfInstruction.SkipUnless(2, s_ipv4, 16),
        BpfInstruction.LoadLong(1, 1, Socket),
        BpfInstruction.SkipIfZero(1, 14),
        BpfInstruction.LoadWord(2, 1, LocalPort),
        BpfInstruction.And(2, ushort.MaxValue),
        BpfInstruction.ShiftLeft(2, 3),
        BpfInstruction.Memory(3, passesAt),
        BpfInstruction.MapRest(),
        BpfInstruction.AddRegister(3, 2),
        BpfInstruction.LoadWord(4, 1, PeerAddress),
        BpfInstruction.LoadWord(5, 3, 0),
        BpfInstruction.SkipUnlessEqual(4, 5, 5),
        BpfInstruction.LoadHalf(4, 1, PeerPort),
        BpfInstruction.LoadWord(5, 3, sizeof(uint)),
        BpfInstruction.SkipUnlessEqual(4, 5, 2),
        BpfInstruction.Set(0, -1),
        BpfInstruction.Exit(),
        BpfInstruction.Set(0, 0),
        BpfInstruction.Exit(),
    ];

    /// <summary>For sockets that one peer host has connected to one local port: the memory has a cookie for each of the peer's ports.</summary>
    public static BpfInstruction[] Accepted(Ipv4 peer, int localPort, SafeHandle cookies) =>
    [
        BpfInstruction.LoadWord(2, 1, Protocol),
        BpfInstruction.SkipUnless(2, s_ipv4, 16),
        BpfInstruction.LoadLong(3, 1, Socket),
        BpfInstruction.SkipIfZero(3, 14),
        BpfInstruction.LoadWord(2, 3, PeerAddress),
        BpfInstruction.SkipUnless(2, peer.Network, 12),
        BpfInstruction.LoadWord(2, 3, LocalPort),
        BpfInstruction.SkipUnless(2, (uint)localPort, 10),
        BpfInstruction.LoadHalf(6, 3, PeerPort),
        BpfInstruction.ShiftLeft(6, 3),
        BpfInstruction.Memory(7, cookies),
        BpfInstruction.MapRest(),
        BpfInstruction.AddRegister(7, 6),
        BpfInstruction.Call(Bpf.SocketCookie),
        BpfInstruction.LoadLong(2, 7, 0),
        BpfInstruction.SkipUnlessEqual(0, 2, 2),
        BpfInstruction.Set(0, -1),
        BpfInstruction.Exit(),
        BpfInstruction.Set(0, 0),
        BpfInstruction.Exit(),
    ];

    /// <summary>For accepted sockets of any peer: a table of cookies by the peer's address and port, in network order, and the local port.</summary>
    public static BpfInstruction[] AcceptedFromAnybody(SafeHandle cookies) =>
    [
        BpfInstruction.Move(6, 1),
        BpfInstruction.LoadWord(2, 1, Protocol),
        BpfInstruction.SkipUnless(2, s_ipv4, 20),
        BpfInstruction.LoadLong(3, 1, Socket),
        BpfInstruction.SkipIfZero(3, 18),
        BpfInstruction.LoadWord(2, 3, PeerAddress),
        BpfInstruction.StoreWord(10, -8, 2),
        BpfInstruction.LoadHalf(2, 3, PeerPort),
        BpfInstruction.StoreHalf(10, -4, 2),
        BpfInstruction.LoadWord(2, 3, LocalPort),
        BpfInstruction.StoreHalf(10, -2, 2),
        BpfInstruction.Map(1, cookies),
        BpfInstruction.MapRest(),
        BpfInstruction.Move(2, 10),
        BpfInstruction.Add(2, -8),
        BpfInstruction.Call(Bpf.LookUp),
        BpfInstruction.SkipIfZero(0, 6),
        BpfInstruction.LoadLong(7, 0, 0),
        BpfInstruction.Move(1, 6),
        BpfInstruction.Call(Bpf.SocketCookie),
        BpfInstruction.SkipUnlessEqual(0, 7, 2),
        BpfInstruction.Set(0, -1),
        BpfInstruction.Exit(),
        BpfInstruction.Set(0, 0),
        BpfInstruction.Exit(),
    ];
}
