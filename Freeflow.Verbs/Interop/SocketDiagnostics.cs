using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Interop;

/// <summary>
/// A TCP socket over IPv4 of this network namespace. <paramref name="Peer"/> is 0.0.0.0 for one that listens;
/// <paramref name="Cookie"/> tells it from every other, of before and after.
/// </summary>
public readonly record struct HostConnection(Ipv4 Local, ushort LocalPort, Ipv4 Peer, ushort PeerPort, ulong Cookie);

/// <summary>Lists this network namespace's TCP sockets, whoever has them (sock_diag(7)).</summary>
public static unsafe partial class SocketDiagnostics
{
    private const int Netlink = 16;
    private const int RawType = 3;
    private const int CloseOnExec = 0x80000;
    private const int SockDiag = 4;
    private const ushort ByFamily = 20;
    private const ushort DumpRequest = 0x301;
    private const ushort Done = 3;
    private const ushort Error = 2;
    private const byte Tcp = 6;
    private const uint NotTimeWait = 0xfff & ~(1u << 6) & ~(1u << 3); // nor half-open requests

    /// <summary>All that are neither in TIME_WAIT nor half open. Throws Win32Exception where the kernel has no sock_diag.</summary>
    public static List<HostConnection> Connections()
    {
        var found = new List<HostConnection>();
        var descriptor = Open(Netlink, RawType | CloseOnExec, SockDiag);
        if (descriptor < 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "socket(NETLINK_SOCK_DIAG)");
        using var socket = new SafeFileHandle(descriptor, ownsHandle: true);
        var buffer = GC.AllocateUninitializedArray<byte>(64 * 1024, pinned: true);
        foreach (byte family in (ReadOnlySpan<byte>)[2, 10])
        {
            Ask(socket, family);
            while (Read(socket, buffer, found))
            {
            }
        }

        return found;
    }

    private static void Ask(SafeFileHandle socket, byte family)
    {
        // struct nlmsghdr, then struct inet_diag_req_v2: family, protocol, extensions, pad, states, id (48 bytes).
        Span<byte> request = stackalloc byte[16 + 56];
        request.Clear();
        MemoryMarshal.Write(request, request.Length);
        MemoryMarshal.Write(request[4..], ByFamily);
        MemoryMarshal.Write(request[6..], DumpRequest);
        request[16] = family;
        request[17] = Tcp;
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
        into.Add(new HostConnection(
            new Ipv4(MemoryMarshal.Read<uint>(message[(8 + at)..])),
            BinaryPrimitives.ReadUInt16BigEndian(message[4..]),
            new Ipv4(MemoryMarshal.Read<uint>(message[(24 + at)..])),
            BinaryPrimitives.ReadUInt16BigEndian(message[6..]),
            MemoryMarshal.Read<ulong>(message[44..])));
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Open(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(SafeHandle socket, byte* bytes, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(SafeHandle socket, byte* into, nint length, int flags);
}
