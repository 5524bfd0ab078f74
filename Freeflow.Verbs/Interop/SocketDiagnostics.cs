using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;

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
public static class SocketDiagnostics
{
    private const ushort Info = 2; // INET_DIAG_INFO
    private const byte InfoExtension = 1 << (Info - 1);
    private const uint NotTimeWait = 0xfff & ~(1u << 6) & ~(1u << 3); // nor half-open requests

    /// <summary>All that are neither in TIME_WAIT nor half open. Throws Win32Exception where the kernel has no sock_diag.</summary>
    /// <param name="withBytes">Whether to count what they have carried, which takes the kernel longer.</param>
    public static List<HostConnection> Connections(bool withBytes = false)
    {
        var found = new List<HostConnection>();
        using var socket = SockDiagSocket.Open();
        var buffer = GC.AllocateUninitializedArray<byte>(64 * 1024, pinned: true);
        foreach (var family in (ReadOnlySpan<byte>)[SockDiagSocket.Inet, SockDiagSocket.Inet6])
        {
            const ushort dump = SockDiagSocket.Request | SockDiagSocket.Dump;
            var asked = socket.Ask(SockDiagSocket.ByFamily, dump, family, NotTimeWait, default, withBytes ? InfoExtension : (byte)0);
            if (asked < 0)
                throw new Win32Exception(-asked, "sock_diag");
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
        try
        {
            using var socket = SockDiagSocket.Open();
            const ushort order = SockDiagSocket.Request | SockDiagSocket.Acknowledge;
            var asked = socket.Ask(SockDiagSocket.Destroy, order, SockDiagSocket.Inet, uint.MaxValue, connection);
            if (asked < 0)
                return asked;
            Span<byte> buffer = stackalloc byte[512];
            ReadOnlySpan<byte> answer = buffer[..Math.Max(socket.Read(buffer), 0)];

            // struct nlmsgerr begins with the error.
            return RouteNetlink.TryNext(ref answer, out var type, out var body) && type == SockDiagSocket.Error && body.Length >= sizeof(int)
                ? MemoryMarshal.Read<int>(body)
                : -Errno.EIO;
        }
        catch (Win32Exception none)
        {
            return -none.NativeErrorCode;
        }
    }

    /// <summary>Reads one datagram; false when the list is at its end.</summary>
    private static bool Read(SockDiagSocket socket, byte[] buffer, List<HostConnection> into)
    {
        var got = socket.Read(buffer);
        if (got <= 0)
            throw new Win32Exception(-got, "sock_diag");
        ReadOnlySpan<byte> datagram = buffer.AsSpan(0, got);
        while (!datagram.IsEmpty)
        {
            if (!RouteNetlink.TryNext(ref datagram, out var type, out var body) || type is SockDiagSocket.Done or SockDiagSocket.Error)
                return false;
            if (body.Length >= SockDiagSocket.CookieAt + sizeof(ulong))
                Add(body, into);
        }

        return true;
    }

    /// <summary><c>struct inet_diag_msg</c>: family at 0, ports at 4 and 6, addresses at 8 and 24, the cookie in two halves at 44.</summary>
    private static void Add(ReadOnlySpan<byte> message, List<HostConnection> into)
    {
        var at = message[0] == SockDiagSocket.Inet6 ? 12 : 0;
        if (at > 0 && MemoryMarshal.Read<uint>(message[16..]) != 0xffff0000)
            return; // a true IPv6 address
        var (sent, received) = BytesOf(message);
        into.Add(new HostConnection(
            new Ipv4(MemoryMarshal.Read<uint>(message[(8 + at)..])),
            BinaryPrimitives.ReadUInt16BigEndian(message[4..]),
            new Ipv4(MemoryMarshal.Read<uint>(message[(24 + at)..])),
            BinaryPrimitives.ReadUInt16BigEndian(message[6..]),
            MemoryMarshal.Read<ulong>(message[SockDiagSocket.CookieAt..]))
        {
            BytesSent = sent,
            BytesReceived = received,
        });
    }

    /// <summary>From its attribute with struct tcp_info, where there is one: tcpi_bytes_acked at 120, tcpi_bytes_received at 128.</summary>
    private static (ulong Sent, ulong Received) BytesOf(ReadOnlySpan<byte> message)
    {
        if (message.Length <= SockDiagSocket.MessageBytes)
            return default;
        var attributes = message[SockDiagSocket.MessageBytes..];
        while (RouteNetlink.TryNextAttribute(ref attributes, out var type, out var value))
        {
            if (type == Info && value.Length >= 136)
                return (MemoryMarshal.Read<ulong>(value[120..]), MemoryMarshal.Read<ulong>(value[128..]));
        }

        return default;
    }
}
