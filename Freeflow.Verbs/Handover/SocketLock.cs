using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// Makes a host socket good for one peer only, for ever: a classic BPF filter that passes packets from one address and
/// port, and SO_LOCK_FILTER (socket(7)). It stays through connect(AF_UNSPEC), and what is accepted from a listener made of
/// the socket inherits it. Behind the instructions that are run lie the virtual addresses (FF_FILTER_TAIL of
/// Freeflow.Shim/protocol.h), so that whoever has the socket can tell them, whatever has become of the router.
/// </summary>
internal static class SocketLock
{
    public const uint Mark = 0x46464c57;
    public const int TailInstructions = 5;

    private const int AttachFilterOption = 26;
    private const int LockFilterOption = 44;
    private const ushort LoadWord = 0x20;       // BPF_LD | BPF_W | BPF_ABS
    private const ushort LoadHalf = 0x28;       // BPF_LD | BPF_H | BPF_ABS
    private const ushort LoadImmediate = 0x00;  // BPF_LD | BPF_IMM
    private const ushort JumpIfEqual = 0x15;    // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort Return = 0x06;         // BPF_RET | BPF_K
    private const uint SourceAddress = 0xfff0000c; // SKF_NET_OFF + 12: the IPv4 header's source

    /// <summary>Locks a socket. 0, or -errno.</summary>
    /// <param name="socket">TCP over IPv4, AF_INET or mapped.</param>
    /// <param name="peer">Whose packets pass.</param>
    /// <param name="ends">What the connection is to its application.</param>
    public static unsafe int Apply(int socket, (Ipv4 Address, int Port) peer, in VirtualEnds ends)
    {
        Span<Instruction> program =
        [
            new(LoadWord, 0, 0, SourceAddress),
            new(JumpIfEqual, 0, 3, peer.Address.Value),
            new(LoadHalf, 0, 0, 0), // the TCP header's source port
            new(JumpIfEqual, 0, 1, (uint)peer.Port),
            new(Return, 0, 0, uint.MaxValue),
            new(Return, 0, 0, 0),
            new(LoadImmediate, 0, 0, Mark),
            new(LoadImmediate, 0, 0, ends.Local.Value),
            new(LoadImmediate, 0, 0, ends.Peer.Value),
            new(LoadImmediate, 0, 0, ((uint)ends.LocalPort << 16) | ends.PeerPort),
            new(Return, 0, 0, 0),
        ];
        fixed (Instruction* start = program)
        {
            var filter = new Program { Length = (ushort)program.Length, Instructions = (nint)start };
            var result = HostSocket.SetOption(socket, AttachFilterOption, MemoryMarshal.AsBytes(new ReadOnlySpan<Program>(in filter)));
            return result < 0 ? result : HostSocket.SetOption(socket, LockFilterOption, [1, 0, 0, 0]);
        }
    }

    /// <summary><c>struct sock_filter</c></summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Instruction(ushort code, byte ifTrue, byte ifFalse, uint constant)
    {
        public readonly ushort Code = code;
        public readonly byte IfTrue = ifTrue;
        public readonly byte IfFalse = ifFalse;
        public readonly uint Constant = constant;
    }

    /// <summary><c>struct sock_fprog</c> of 64-bit Linux</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    private struct Program
    {
        [FieldOffset(0)]
        public ushort Length;

        [FieldOffset(8)]
        public nint Instructions;
    }
}

/// <summary>The two ends of a connection as one of its applications sees them.</summary>
public readonly record struct VirtualEnds(Ipv4 Local, ushort LocalPort, Ipv4 Peer, ushort PeerPort)
{
    public VirtualEnds Reversed => new(Peer, PeerPort, Local, LocalPort);

    public override string ToString() => $"{Local}:{LocalPort} to {Peer}:{PeerPort}";
}
