using System.Runtime.InteropServices;
using Freeflow.Verbs.Handover;

namespace Freeflow.Verbs.Interop;

/// <summary>Asks the kernel for single TCP sockets of the network namespace that it was opened in (sock_diag(7)). One thread at a time.</summary>
internal sealed class SocketLookup : IDisposable
{
    private const byte Established = 1; // enum of include/net/tcp_states.h
    private const byte SynReceived = 3;
    private const byte CloseWait = 8;
    private const byte Listen = 10;
    private const byte NewSynReceived = 12;
    private const ulong AnyCookie = ulong.MaxValue;

    private readonly SockDiagSocket _socket = SockDiagSocket.Open();
    private readonly byte[] _answer = GC.AllocateUninitializedArray<byte>(32 * 1024, pinned: true);

    /// <summary>Whether a socket still listens, whoever has it. True also where the kernel does not answer: nothing ends on a guess.</summary>
    /// <param name="address">Null: at every address.</param>
    /// <param name="port">Its port.</param>
    /// <param name="cookie">SO_COOKIE.</param>
    public bool IsListening(Ipv4? address, ushort port, ulong cookie)
    {
        // Of several that share the port the kernel names one.
        if (TryFind(new HostConnection(address ?? default, port, default, 0, cookie), out var state, out _) && state == Listen)
            return true;
        return IsAmongListeners(SockDiagSocket.Inet, port, cookie) || IsAmongListeners(SockDiagSocket.Inet6, port, cookie);
    }

    /// <summary>Whether a connection has been taken out of its listener's queue by accept(); null when there is no such connection.</summary>
    /// <param name="ends">As its server sees them.</param>
    /// <remarks>
    /// Where there is none the kernel names the listener that would take it. A socket has an inode from accept() to close(); one in the queue
    /// is in none of the states that close() leads to.
    /// </remarks>
    public bool? IsAccepted(in VirtualEnds ends) =>
        TryFind(new HostConnection(ends.Local, ends.LocalPort, ends.Peer, ends.PeerPort, AnyCookie), out var state, out var inode) && state != Listen
            ? inode != 0 || state is not (Established or SynReceived or CloseWait or NewSynReceived)
            : null;

    public void Dispose() => _socket.Dispose();

    private bool TryFind(in HostConnection which, out byte state, out uint inode)
    {
        (state, inode) = (0, 0);
        _socket.Skip(_answer);
        if (_socket.Ask(SockDiagSocket.ByFamily, SockDiagSocket.Request, SockDiagSocket.Inet, uint.MaxValue, which) < 0)
            return false;
        ReadOnlySpan<byte> datagram = _answer.AsSpan(0, Math.Max(_socket.Read(_answer), 0));
        if (!RouteNetlink.TryNext(ref datagram, out var type, out var message) || type != SockDiagSocket.ByFamily || message.Length < SockDiagSocket.MessageBytes)
            return false;
        (state, inode) = (message[1], MemoryMarshal.Read<uint>(message[SockDiagSocket.InodeAt..]));
        return true;
    }

    private bool IsAmongListeners(byte family, ushort port, ulong cookie)
    {
        _socket.Skip(_answer);
        const ushort dump = SockDiagSocket.Request | SockDiagSocket.Dump;
        if (_socket.Ask(SockDiagSocket.ByFamily, dump, family, 1u << Listen, new HostConnection(default, port, default, 0, AnyCookie)) < 0)
            return true;
        for (var found = false; ;)
        {
            ReadOnlySpan<byte> datagram = _answer.AsSpan(0, Math.Max(_socket.Read(_answer), 0));
            do
            {
                if (!RouteNetlink.TryNext(ref datagram, out var type, out var message) || type == SockDiagSocket.Error)
                    return true;
                if (type == SockDiagSocket.Done)
                    return found;
                found |= message.Length >= SockDiagSocket.MessageBytes && MemoryMarshal.Read<ulong>(message[SockDiagSocket.CookieAt..]) == cookie;
            }
            while (!datagram.IsEmpty);
        }
    }
}
