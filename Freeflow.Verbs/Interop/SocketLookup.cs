using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Interop;

/// <summary>Asks the kernel for single TCP sockets of the network namespace that it was opened in (sock_diag(7)). One thread at a time.</summary>
internal sealed unsafe partial class SocketLookup : IDisposable
{
    private const int Netlink = 16;
    private const int RawType = 3;
    private const int CloseOnExec = 0x80000;
    private const int SockDiag = 4;
    private const int DontWait = 0x40;
    private const ushort ByFamily = 20;
    private const ushort Request = 1;
    private const ushort Dump = 0x300;
    private const ushort Done = 3;
    private const ushort Error = 2;
    private const byte Inet = 2;
    private const byte Inet6 = 10;
    private const byte Tcp = 6;
    private const byte Established = 1; // enum of include/net/tcp_states.h
    private const byte SynReceived = 3;
    private const byte CloseWait = 8;
    private const byte Listen = 10;
    private const byte NewSynReceived = 12;
    private const int HeaderBytes = 16; // struct nlmsghdr
    private const int MessageBytes = 72; // struct inet_diag_msg
    private const int CookieAt = 44;
    private const int InodeAt = 68;

    private readonly SafeFileHandle _socket;
    private readonly byte[] _answer = GC.AllocateUninitializedArray<byte>(32 * 1024, pinned: true);

    private SocketLookup(SafeFileHandle socket) => _socket = socket;

    /// <summary>Throws Win32Exception where the kernel has no sock_diag.</summary>
    public static SocketLookup Open()
    {
        var descriptor = OpenSocket(Netlink, RawType | CloseOnExec, SockDiag);
        return descriptor < 0
            ? throw new Win32Exception(Marshal.GetLastPInvokeError(), "socket(NETLINK_SOCK_DIAG)")
            : new SocketLookup(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    /// <summary>Whether a socket still listens, whoever has it. True also where the kernel does not answer: nothing ends on a guess.</summary>
    /// <param name="address">Null: at every address.</param>
    /// <param name="port">Its port.</param>
    /// <param name="cookie">SO_COOKIE.</param>
    public bool IsListening(Ipv4? address, ushort port, ulong cookie)
    {
        // Of several that share the port the kernel names one.
        if (TryFind(address ?? default, port, default, 0, cookie, out var state, out _) && state == Listen)
            return true;
        foreach (var family in (ReadOnlySpan<byte>)[Inet, Inet6])
        {
            if (IsAmongListeners(family, port, cookie))
                return true;
        }

        return false;
    }

    /// <summary>Whether a connection has been taken out of its listener's queue by accept(); null when there is no such connection.</summary>
    /// <param name="ends">As its server sees them.</param>
    /// <remarks>
    /// Where there is none the kernel names the listener that would take it. A socket has an inode from accept() to close(); one in the queue
    /// is in none of the states that close() leads to.
    /// </remarks>
    public bool? IsAccepted(in Handover.VirtualEnds ends) =>
        TryFind(ends.Local, ends.LocalPort, ends.Peer, ends.PeerPort, ulong.MaxValue, out var state, out var inode) && state != Listen
            ? inode != 0 || state is not (Established or SynReceived or CloseWait or NewSynReceived)
            : null;

    public void Dispose() => _socket.Dispose();

    private bool TryFind(Ipv4 local, ushort localPort, Ipv4 peer, ushort peerPort, ulong cookie, out byte state, out uint inode)
    {
        (state, inode) = (0, 0);
        if (!Ask(Inet, Request, uint.MaxValue, local, localPort, peer, peerPort, cookie))
            return false;
        var got = Read();
        if (got < HeaderBytes + MessageBytes || MemoryMarshal.Read<ushort>(_answer.AsSpan(4)) != ByFamily)
            return false;
        var message = _answer.AsSpan(HeaderBytes);
        (state, inode) = (message[1], MemoryMarshal.Read<uint>(message[InodeAt..]));
        return true;
    }

    private bool IsAmongListeners(byte family, ushort port, ulong cookie)
    {
        if (!Ask(family, Request | Dump, 1u << Listen, default, port, default, 0, ulong.MaxValue))
            return true;
        var found = false;
        while (true)
        {
            var got = Read();
            if (got <= 0)
                return true;
            for (ReadOnlySpan<byte> rest = _answer.AsSpan(0, got); rest.Length >= HeaderBytes;)
            {
                var length = MemoryMarshal.Read<int>(rest);
                var type = MemoryMarshal.Read<ushort>(rest[4..]);
                if (type is Done or Error || length < HeaderBytes || length > rest.Length)
                    return found || type != Done;
                found |= length >= HeaderBytes + MessageBytes && MemoryMarshal.Read<ulong>(rest[(HeaderBytes + CookieAt)..]) == cookie;
                rest = rest[Math.Min((length + 3) & ~3, rest.Length)..];
            }
        }
    }

    private bool Ask(byte family, ushort flags, uint states, Ipv4 local, ushort localPort, Ipv4 peer, ushort peerPort, ulong cookie)
    {
        // What an earlier question's reader has left.
        while (ReceiveInto(DontWait) > 0)
        {
        }

        // struct nlmsghdr, then struct inet_diag_req_v2: family, protocol, extensions, pad, states, id.
        Span<byte> request = stackalloc byte[HeaderBytes + 56];
        request.Clear();
        MemoryMarshal.Write(request, request.Length);
        MemoryMarshal.Write(request[4..], ByFamily);
        MemoryMarshal.Write(request[6..], flags);
        request[16] = family;
        request[17] = Tcp;
        MemoryMarshal.Write(request[20..], states);

        // struct inet_diag_sockid: ports, addresses of 16 bytes, interface, cookie.
        var id = request[24..];
        BinaryPrimitives.WriteUInt16BigEndian(id, localPort);
        BinaryPrimitives.WriteUInt16BigEndian(id[2..], peerPort);
        MemoryMarshal.Write(id[4..], local.Network);
        MemoryMarshal.Write(id[20..], peer.Network);
        MemoryMarshal.Write(id[40..], cookie);
        fixed (byte* start = request)
            return Send(_socket, start, request.Length, 0) == request.Length;
    }

    /// <summary>One datagram; the kernel has put it there before the question's send() returned.</summary>
    private int Read() => (int)ReceiveInto(0);

    private nint ReceiveInto(int flags)
    {
        fixed (byte* start = _answer)
            return Receive(_socket, start, _answer.Length, flags);
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(SafeHandle socket, byte* bytes, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(SafeHandle socket, byte* into, nint length, int flags);
}
