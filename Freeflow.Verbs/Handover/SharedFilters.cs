using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// Two filters that all host sockets share, so that none has to be compiled for one: they look up whose packets pass. They and
/// what they look into live as long as a socket that has them, whatever becomes of the router; the next router makes its own.
/// <list type="bullet">
/// <item>Sockets that connect are bound to a port of their own, which they keep until they are gone (SOCK_BINDPORT_LOCK): an
/// array has, for each local port, whose packets pass.</item>
/// <item>Accepted ones share a port. A table has, for each peer and local port, which socket that connection was accepted as, by
/// its cookie; a connection from the same peer and port comes in its place.</item>
/// </list>
/// </summary>
internal sealed class SharedFilters : IDisposable
{
    /// <summary>Where a filter finds the IPv4 header's source address (SKF_NET_OFF + 12), and the TCP header's ports.</summary>
    public const uint SourceAddress = 0xfff0000c;
    public const uint SourcePort = 0;
    private const int DestinationPort = 2;

    private const int AttachProgramOption = 50;
    private const int Ports = 1 << 16;
    private const int MostAccepted = 1 << 20; // 16 bytes each, and 48 of the kernel's, as they come

    private readonly SharedMemory _passesAt;
    private readonly SafeFileHandle _accepted;
    private readonly SafeFileHandle _connecting;
    private readonly SafeFileHandle _accepting;

    private SharedFilters(SharedMemory passesAt, SafeFileHandle accepted, SafeFileHandle connecting, SafeFileHandle accepting) =>
        (_passesAt, _accepted, _connecting, _accepting) = (passesAt, accepted, connecting, accepting);

    /// <summary>Null when the kernel refuses: EPERM without CAP_BPF, EINVAL before Linux 5.5.</summary>
    public static SharedFilters? TryCreate(out int error)
    {
        var array = Bpf.TryCreateArray(Ports, out error);
        if (array is null)
            return null;
        var passesAt = SharedMemory.Of(array, Ports * sizeof(ulong));
        var accepted = Bpf.TryCreateHash(MostAccepted, out error);
        var connecting = accepted is null ? null : Bpf.TryLoad(Connecting(array), out error);
        var accepting = connecting is null ? null : Bpf.TryLoad(Accepting(accepted!), out error);
        if (accepting is not null)
            return new SharedFilters(passesAt, accepted!, connecting!, accepting);
        connecting?.Dispose();
        accepted?.Dispose();
        passesAt.Dispose();
        return null;
    }

    /// <summary>A socket that is bound to a port and will connect; 0 or -errno.</summary>
    public int AttachToConnecting(int socket, int localPort, (Ipv4 Address, int Port) peer)
    {
        var passes = peer.Address.Value | ((ulong)(uint)peer.Port << 32);
        Volatile.Write(ref MemoryMarshal.AsRef<ulong>(_passesAt.Span((long)localPort * sizeof(ulong), sizeof(ulong))), passes);
        return Attach(socket, _connecting);
    }

    /// <summary>A socket that was accepted; 0 or -errno (E2BIG: there are as many as there may be).</summary>
    public int AttachToAccepted(int socket, int localPort, (Ipv4 Address, int Port) peer)
    {
        var key = peer.Address.Value | ((ulong)(ushort)peer.Port << 32) | ((ulong)(ushort)localPort << 48);
        var result = Bpf.Update(_accepted, key, HostSocket.CookieOf(socket));
        return result < 0 ? result : Attach(socket, _accepting);
    }

    public void Dispose()
    {
        _accepting.Dispose();
        _connecting.Dispose();
        _accepted.Dispose();
        _passesAt.Dispose();
    }

    private static int Attach(int socket, SafeFileHandle program)
    {
        var descriptor = (int)program.DangerousGetHandle();
        return HostSocket.SetOption(socket, AttachProgramOption, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in descriptor)));
    }

    private static BpfInstruction[] Connecting(SafeFileHandle passesAt) =>
    [
        BpfInstruction.Move(6, 1),
        BpfInstruction.PacketHalf(DestinationPort),
        BpfInstruction.StoreWord(10, -4, 0),
        BpfInstruction.PacketWord(unchecked((int)SourceAddress)),
        BpfInstruction.Move(7, 0),
        BpfInstruction.PacketHalf((int)SourcePort),
        BpfInstruction.Move(8, 0),
        BpfInstruction.Map(1, passesAt),
        BpfInstruction.MapRest(),
        BpfInstruction.Move(2, 10),
        BpfInstruction.Add(2, -4),
        BpfInstruction.Call(Bpf.LookUp),
        BpfInstruction.SkipIfZero(0, 6),
        BpfInstruction.LoadWord(1, 0, 0),
        BpfInstruction.SkipUnlessEqual(1, 7, 4),
        BpfInstruction.LoadWord(1, 0, 4),
        BpfInstruction.SkipUnlessEqual(1, 8, 2),
        BpfInstruction.Set(0, -1),
        BpfInstruction.Exit(),
        BpfInstruction.Set(0, 0),
        BpfInstruction.Exit(),
    ];

    private static BpfInstruction[] Accepting(SafeFileHandle accepted) =>
    [
        BpfInstruction.Move(6, 1),
        BpfInstruction.PacketWord(unchecked((int)SourceAddress)),
        BpfInstruction.StoreWord(10, -8, 0),
        BpfInstruction.PacketHalf((int)SourcePort),
        BpfInstruction.StoreHalf(10, -4, 0),
        BpfInstruction.PacketHalf(DestinationPort),
        BpfInstruction.StoreHalf(10, -2, 0),
        BpfInstruction.Map(1, accepted),
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
