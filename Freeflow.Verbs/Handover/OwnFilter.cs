using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// A classic filter of a socket's own, which passes packets from one address and port. The kernel compiles each: 12 us and more,
/// so it serves only where <see cref="SharedFilters"/> can't.
/// </summary>
internal static class OwnFilter
{
    private const int AttachFilterOption = 26;
    private const uint SourceAddress = 0xfff0000c; // of the IPv4 header: SKF_NET_OFF + 12
    private const uint SourcePort = 0;             // of the TCP header
    private const ushort LoadWord = 0x20;    // BPF_LD | BPF_W | BPF_ABS
    private const ushort LoadHalf = 0x28;    // BPF_LD | BPF_H | BPF_ABS
    private const ushort JumpIfEqual = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    private const ushort Return = 0x06;      // BPF_RET | BPF_K

    /// <summary>0, or -errno.</summary>
    public static unsafe int Attach(int socket, (Ipv4 Address, int Port) peer)
    {
        Span<Instruction> program =
        [
            new(LoadWord, 0, 0, SourceAddress),
            new(JumpIfEqual, 0, 3, peer.Address.Value),
            new(LoadHalf, 0, 0, SourcePort),
            new(JumpIfEqual, 0, 1, (uint)peer.Port),
            new(Return, 0, 0, uint.MaxValue),
            new(Return, 0, 0, 0),
        ];
        fixed (Instruction* start = program)
        {
            var filter = new Program { Length = (ushort)program.Length, Instructions = (nint)start };
            return HostSocket.SetOption(socket, AttachFilterOption, MemoryMarshal.AsBytes(new ReadOnlySpan<Program>(in filter)));
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
