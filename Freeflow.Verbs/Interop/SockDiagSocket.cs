using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Interop;

/// <summary>A netlink socket for questions about TCP sockets of the network namespace that it was opened in (sock_diag(7)).</summary>
internal sealed unsafe partial class SockDiagSocket : IDisposable
{
    /// <summary>Type of a question for sockets, and of its answers (SOCK_DIAG_BY_FAMILY).</summary>
    public const ushort ByFamily = 20;

    /// <summary>Type of the order to end one (SOCK_DESTROY).</summary>
    public const ushort Destroy = 21;

    public const ushort Request = 0x1; // NLM_F_*
    public const ushort Acknowledge = 0x4;
    public const ushort Dump = 0x300;

    /// <summary>Types of netlink's own answers.</summary>
    public const ushort Error = 2;
    public const ushort Done = 3;

    public const byte Inet = 2;
    public const byte Inet6 = 10;

    /// <summary>Bytes of struct nlmsghdr, and of struct inet_diag_msg behind it.</summary>
    public const int HeaderBytes = 16;
    public const int MessageBytes = 72;
    public const int CookieAt = 44;
    public const int InodeAt = 68;

    private const int Netlink = 16;
    private const int RawType = 3;
    private const int CloseOnExec = 0x80000;
    private const int Protocol = 4; // NETLINK_SOCK_DIAG
    private const int RequestBytes = HeaderBytes + 56;
    private const byte Tcp = 6;
    private const int DontWait = 0x40;

    private readonly SafeFileHandle _socket;

    private SockDiagSocket(SafeFileHandle socket) => _socket = socket;

    /// <summary>Throws Win32Exception where the kernel has no sock_diag.</summary>
    public static SockDiagSocket Open()
    {
        var descriptor = OpenSocket(Netlink, RawType | CloseOnExec, Protocol);
        return descriptor < 0
            ? throw new Win32Exception(Marshal.GetLastPInvokeError(), "socket(NETLINK_SOCK_DIAG)")
            : new SockDiagSocket(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    /// <summary>Asks for one socket, or with <see cref="Dump"/> for all that are like it; 0 or -errno. The answer is there when this returns.</summary>
    /// <param name="type">Of the question.</param>
    /// <param name="flags">NLM_F_*.</param>
    /// <param name="family">AF_INET finds one socket of AF_INET6 as well, where it is open to IPv4; a dump has each family by itself.</param>
    /// <param name="states">Bits by TCP state.</param>
    /// <param name="like">In a dump what is 0 is anything. A cookie of all ones is any.</param>
    /// <param name="extensions">INET_DIAG_*, as bits from 0.</param>
    public int Ask(ushort type, ushort flags, byte family, uint states, in HostConnection like, byte extensions = 0)
    {
        // struct nlmsghdr, then struct inet_diag_req_v2: family, protocol, extensions, pad, states, id.
        Span<byte> request = stackalloc byte[RequestBytes];
        request.Clear();
        MemoryMarshal.Write(request, RequestBytes);
        MemoryMarshal.Write(request[4..], type);
        MemoryMarshal.Write(request[6..], flags);
        request[16] = family;
        request[17] = Tcp;
        request[18] = extensions;
        MemoryMarshal.Write(request[20..], states);

        // struct inet_diag_sockid: ports, addresses of 16 bytes, interface, cookie.
        var id = request[24..];
        BinaryPrimitives.WriteUInt16BigEndian(id, like.LocalPort);
        BinaryPrimitives.WriteUInt16BigEndian(id[2..], like.PeerPort);
        MemoryMarshal.Write(id[4..], like.Local.Network);
        MemoryMarshal.Write(id[20..], like.Peer.Network);
        MemoryMarshal.Write(id[40..], like.Cookie);
        fixed (byte* start = request)
            return Send(_socket, start, request.Length, 0) < 0 ? -Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>One datagram of an answer, with messages as <see cref="RouteNetlink.TryNext"/> splits them; its bytes, or -errno.</summary>
    public int Read(Span<byte> into) => ReadNext(into, 0);

    /// <summary>Throws away what is left of an answer.</summary>
    public void Skip(Span<byte> scratch)
    {
        while (ReadNext(scratch, DontWait) > 0)
        {
        }
    }

    public void Dispose() => _socket.Dispose();

    private int ReadNext(Span<byte> into, int flags)
    {
        fixed (byte* start = into)
        {
            var got = Receive(_socket, start, into.Length, flags);
            return got < 0 ? -Marshal.GetLastPInvokeError() : (int)got;
        }
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(SafeHandle socket, byte* bytes, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(SafeHandle socket, byte* into, nint length, int flags);
}
