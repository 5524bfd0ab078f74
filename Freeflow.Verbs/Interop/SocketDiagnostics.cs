using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Interop;

/// <summary>
/// A TCP socket over IPv4 of this network namespace. <paramref name="Peer"/> is 0.0.0.0 for one that listens;
/// <paramref name="Cookie"/> tells it from every other, of before and after.
/// </summary>
public readonly record struct HostConnection(Ipv4 Local, ushort LocalPort, Ipv4 Peer, ushort PeerPort, ulong Cookie)
{
    /// <summary>Acknowledged by the peer; where it was asked for (<see cref="SocketDiagnostics.Connections"/>).</summary>
    public ulong BytesSent { get; init; }

    public ulong BytesReceived { get; init; }
}

/// <summary>Lists this network namespace's TCP sockets, whoever has them (sock_diag(7)).</summary>
public static unsafe partial class SocketDiagnostics
{
    private const int Netlink = 16;
    private const int RawType = 3;
    private const int CloseOnExec = 0x80000;
    private const int SockDiag = 4;
    private const ushort ByFamily = 20;
    private const ushort DumpRequest = 0x301;
    private const ushort DestroySocket = 21;
    private const ushort RequestWithAnswer = 0x5;
    private const ushort Done = 3;
    private const ushort Error = 2;
    private const byte Tcp = 6;
    private const ushort Info = 2; // INET_DIAG_INFO
    private const byte InfoExtension = 1 << (Info - 1);
    private const int MessageBytes = 72; // of struct inet_diag_msg
    private const uint NotTimeWait = 0xfff & ~(1u << 6) & ~(1u << 3); // nor half-open requests

    /// <summary>All that are neither in TIME_WAIT nor half open. Throws Win32Exception where the kernel has no sock_diag.</summary>
    /// <param name="withBytes">Whether to count what they have carried, which takes the kernel longer.</param>
    public static List<HostConnection> Connections(bool withBytes = false)
    {
        var found = new List<HostConnection>();
        var descriptor = Open(Netlink, RawType | CloseOnExec, SockDiag);
        if (descriptor < 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "socket(NETLINK_SOCK_DIAG)");
        using var socket = new SafeFileHandle(descriptor, ownsHandle: true);
        var buffer = GC.AllocateUninitializedArray<byte>(64 * 1024, pinned: true);
        foreach (byte family in (ReadOnlySpan<byte>)[2, 10])
        {
            Ask(socket, family, withBytes);
            while (Read(socket, buffer, found))
            {
            }
        }

        return found;
    }

    /// <summary>
    /// Resets a connection, whoever has its socket: that one gets ECONNABORTED, the other end ECONNRESET. 0 or -errno; -ENOENT for one that
    /// is gone, -EOPNOTSUPP where the kernel can't (CONFIG_INET_DIAG_DESTROY), -EPERM without CAP_NET_ADMIN.
    /// </summary>
    public static int Destroy(in HostConnection connection)
    {
        var descriptor = Open(Netlink, RawType | CloseOnExec, SockDiag);
        if (descriptor < 0)
            return -Marshal.GetLastPInvokeError();
        using var socket = new SafeFileHandle(descriptor, ownsHandle: true);
        Span<byte> request = stackalloc byte[16 + 56];
        request.Clear();
        MemoryMarshal.Write(request, request.Length);
        MemoryMarshal.Write(request[4..], DestroySocket);
        MemoryMarshal.Write(request[6..], RequestWithAnswer);
        const byte inet = 2;
        request[16] = inet;
        request[17] = Tcp;
        MemoryMarshal.Write(request[20..], uint.MaxValue);

        // struct inet_diag_sockid: ports, addresses of 16 bytes, interface, cookie.
        var id = request[24..];
        BinaryPrimitives.WriteUInt16BigEndian(id, connection.LocalPort);
        BinaryPrimitives.WriteUInt16BigEndian(id[2..], connection.PeerPort);
        MemoryMarshal.Write(id[4..], connection.Local.Network);
        MemoryMarshal.Write(id[20..], connection.Peer.Network);
        MemoryMarshal.Write(id[40..], connection.Cookie);
        Span<byte> answer = stackalloc byte[512];
        nint got;
        fixed (byte* start = request, into = answer)
        {
            if (Send(socket, start, request.Length, 0) < 0)
                return -Marshal.GetLastPInvokeError();
            got = Receive(socket, into, answer.Length, 0);
        }

        // struct nlmsgerr behind the header.
        return got >= 20 && MemoryMarshal.Read<ushort>(answer[4..]) == Error ? MemoryMarshal.Read<int>(answer[16..]) : -Errno.EIO;
    }

    private static void Ask(SafeFileHandle socket, byte family, bool withBytes)
    {
        // struct nlmsghdr, then struct inet_diag_req_v2: family, protocol, extensions, pad, states, id (48 bytes).
        Span<byte> request = stackalloc byte[16 + 56];
        request.Clear();
        MemoryMarshal.Write(request, request.Length);
        MemoryMarshal.Write(request[4..], ByFamily);
        MemoryMarshal.Write(request[6..], DumpRequest);
        request[16] = family;
        request[17] = Tcp;
        request[18] = withBytes ? InfoExtension : (byte)0;
        MemoryMarshal.Write(request[20..], NotTimeWait);
        fixed (byte* start = request)
        {
            if (Send(socket, start, request.Length, 0) < 0)
                throw new Win32Exception(Marshal.GetLastPInvokeError(), "sock_diag");
        }
    }

    /// <summary>Reads one datagram; false when the list is at its end.</summary>
    private static bool Read(SafeFileHandle socket, byte[] buffer, List<HostConnection> into)
    {
        nint got;
        fixed (byte* start = buffer)
            got = Receive(socket, start, buffer.Length, 0);
        if (got <= 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "sock_diag");
        for (ReadOnlySpan<byte> rest = buffer.AsSpan(0, (int)got); rest.Length >= 16;)
        {
            var length = MemoryMarshal.Read<int>(rest);
            if (length < 16 || length > rest.Length)
                return false;
            var type = MemoryMarshal.Read<ushort>(rest[4..]);
            if (type is Done or Error)
                return false;
            if (length >= 16 + 52)
                Add(rest[16..length], into);
            rest = rest[Math.Min((length + 3) & ~3, rest.Length)..];
        }

        return true;
    }

    /// <summary><c>struct inet_diag_msg</c>: family at 0, ports at 4 and 6, addresses at 8 and 24, the cookie in two halves at 44.</summary>
    private static void Add(ReadOnlySpan<byte> message, List<HostConnection> into)
    {
        const byte inet6 = 10;
        var at = message[0] == inet6 ? 12 : 0;
        if (at > 0 && MemoryMarshal.Read<uint>(message[16..]) != 0xffff0000)
            return; // a true IPv6 address
        var (sent, received) = BytesOf(message);
        into.Add(new HostConnection(
            new Ipv4(MemoryMarshal.Read<uint>(message[(8 + at)..])),
            BinaryPrimitives.ReadUInt16BigEndian(message[4..]),
            new Ipv4(MemoryMarshal.Read<uint>(message[(24 + at)..])),
            BinaryPrimitives.ReadUInt16BigEndian(message[6..]),
            MemoryMarshal.Read<ulong>(message[44..]))
        {
            BytesSent = sent,
            BytesReceived = received,
        });
    }

    /// <summary>From its attribute with struct tcp_info, where there is one: tcpi_bytes_acked at 120, tcpi_bytes_received at 128.</summary>
    private static (ulong Sent, ulong Received) BytesOf(ReadOnlySpan<byte> message)
    {
        const int head = 4;
        if (message.Length <= MessageBytes)
            return default;
        for (var rest = message[MessageBytes..]; rest.Length >= head;)
        {
            var length = MemoryMarshal.Read<ushort>(rest);
            if (length < head || length > rest.Length)
                break;
            if (MemoryMarshal.Read<ushort>(rest[2..]) == Info && length >= head + 136)
                return (MemoryMarshal.Read<ulong>(rest[(head + 120)..]), MemoryMarshal.Read<ulong>(rest[(head + 128)..]));
            rest = rest[Math.Min((length + 3) & ~3, rest.Length)..];
        }

        return default;
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Open(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(SafeHandle socket, byte* bytes, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(SafeHandle socket, byte* into, nint length, int flags);
}
