using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Interop;

/// <summary>
/// The calls by which TCP sockets of the host are made and given away, on bare descriptors: they live for microseconds in
/// here, and nothing is allocated for one. They return a descriptor, bytes or 0, or -errno.
/// </summary>
internal static unsafe partial class HostSocket
{
    private const int Inet = 2;
    private const int Inet6 = 10;
    private const int Stream = 1;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int SocketLevel = 1;
    private const int TcpLevel = 6;
    private const int RightsType = 1;
    private const int ReuseAddressOption = 2;
    private const int LingerOption = 13;
    private const int CookieOption = 57;
    private const int ErrorOption = 4;
    private const int SetFlags = 4;
    private const int ReadWrite = 2;
    private const int EndOfSending = 1;
    private const int ControlCloseOnExec = 0x40000000;
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int ControlHead = 16;
    private const nuint OutgoingQueue = 0x5411;

    /// <summary>Most descriptors in one message.</summary>
    public const int MaximumDescriptors = 8;

    /// <summary>A TCP socket, closed on exec.</summary>
    public static int Open(bool ipv6) => Checked(OpenSocket(ipv6 ? Inet6 : Inet, Stream | CloseOnExec, 0));

    /// <summary>Binds to an IPv4 address, as ::ffff:address on an AF_INET6 socket.</summary>
    public static int Bind(int socket, bool ipv6, Ipv4 address, int port)
    {
        Span<byte> bytes = stackalloc byte[28];
        var length = Write(bytes, ipv6, address, port);
        fixed (byte* start = bytes)
            return Checked(BindSocket(socket, start, (uint)length));
    }

    /// <summary>
    /// A listening socket, non-blocking. What it accepts lingers for no time: closed unread it is reset, until whoever gets
    /// it decides otherwise.
    /// </summary>
    public static int Listen(bool ipv6, Ipv4 address, int port, int backlog)
    {
        var socket = OpenSocket(ipv6 ? Inet6 : Inet, Stream | CloseOnExec | NonBlocking, 0);
        if (socket < 0)
            return -Marshal.GetLastPInvokeError();
        var one = 1;
        var linger = 1L; // l_onoff 1, l_linger 0
        var result = SetOption(socket, SocketLevel, ReuseAddressOption, &one, sizeof(int));
        if (result == 0)
            result = SetOption(socket, SocketLevel, LingerOption, &linger, sizeof(long));
        var error = result < 0 ? -Marshal.GetLastPInvokeError() : Bind(socket, ipv6, address, port);
        if (error >= 0 && StartListening(socket, backlog) < 0)
            error = -Marshal.GetLastPInvokeError();
        if (error >= 0)
            return socket;
        Close(socket);
        return error;
    }

    /// <summary>The local port; 0 when the kernel does not say.</summary>
    public static int PortOf(int socket)
    {
        Span<byte> bytes = stackalloc byte[28];
        var length = (uint)bytes.Length;
        fixed (byte* start = bytes)
            return OwnName(socket, start, &length) < 0 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
    }

    /// <summary>The address of the other end; 0.0.0.0 when there is none.</summary>
    public static Ipv4 PeerOf(int socket)
    {
        Span<byte> bytes = stackalloc byte[28];
        var length = (uint)bytes.Length;
        fixed (byte* start = bytes)
            return PeerName(socket, start, &length) < 0 ? default : AddressIn(bytes);
    }

    /// <summary>The next connection and whose it is; the socket is blocking, as accept() of an application would make it.</summary>
    public static int Accept(int listener, out Ipv4 from, out int port)
    {
        Span<byte> bytes = stackalloc byte[28];
        var length = (uint)bytes.Length;
        int socket;
        fixed (byte* start = bytes)
            socket = AcceptNext(listener, start, &length, CloseOnExec);
        if (socket < 0)
        {
            var error = -Marshal.GetLastPInvokeError();
            (from, port) = (default, 0);
            return error;
        }

        port = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        from = AddressIn(bytes);
        return socket;
    }

    public static int SetOption(int socket, int option, ReadOnlySpan<byte> value)
    {
        fixed (byte* start = value)
            return Checked(SetOption(socket, SocketLevel, option, start, value.Length));
    }

    /// <summary>An option of TCP's own.</summary>
    public static int SetTcpOption(int socket, int option, ReadOnlySpan<byte> value)
    {
        fixed (byte* start = value)
            return Checked(SetOption(socket, TcpLevel, option, start, value.Length));
    }

    /// <summary>What tells a socket from every other, for ever (SO_COOKIE); 0 where the kernel has none.</summary>
    public static ulong CookieOf(int socket)
    {
        var cookie = 0UL;
        var length = (uint)sizeof(ulong);
        return GetOption(socket, SocketLevel, CookieOption, &cookie, &length) < 0 ? 0 : cookie;
    }

    /// <summary>Sends one message with descriptors, without waiting.</summary>
    public static int Send(int socket, ReadOnlySpan<byte> message, ReadOnlySpan<int> descriptors)
    {
        if (descriptors.Length > MaximumDescriptors)
            throw new ArgumentException($"{descriptors.Length} descriptors for one message", nameof(descriptors));
        var control = stackalloc byte[ControlHead + (MaximumDescriptors * sizeof(int))];
        fixed (byte* start = message)
        {
            var vector = IoVector.Of(message);
            var header = new MessageHeader { Vectors = (nint)(&vector), VectorCount = 1 };
            if (descriptors.Length > 0)
            {
                *(long*)control = ControlHead + (descriptors.Length * sizeof(int));
                ((int*)control)[2] = SocketLevel;
                ((int*)control)[3] = RightsType;
                descriptors.CopyTo(new Span<int>(control + ControlHead, MaximumDescriptors));
                header.Control = (nint)control;
                header.ControlLength = (ControlHead + (descriptors.Length * sizeof(int)) + 7) & ~7;
            }

            return (int)Checked(SendMessage(socket, &header, DontWait | NoSignal));
        }
    }

    /// <summary>Receives without waiting; 0 at the end. Descriptors that come with it are closed by the kernel.</summary>
    public static int Receive(int socket, Span<byte> into)
    {
        fixed (byte* start = into)
            return (int)Checked(ReceiveBytes(socket, start, into.Length, DontWait));
    }

    /// <summary>Bytes of the kernel's memory that what was sent and not received takes up (SIOCOUTQ).</summary>
    public static int Queued(int socket)
    {
        var bytes = 0;
        return Control(socket, OutgoingQueue, &bytes) < 0 ? -Marshal.GetLastPInvokeError() : bytes;
    }

    /// <summary>A TCP socket over IPv4 that waits for nothing.</summary>
    public static int OpenNonBlocking() => Checked(OpenSocket(Inet, Stream | CloseOnExec | NonBlocking, 0));

    /// <summary>Makes a socket that was accepted, or comes out of a queue, wait for nothing.</summary>
    public static int StopWaiting(int socket) => Checked(ControlFlags(socket, SetFlags, ReadWrite | NonBlocking));

    /// <summary>Begins to connect a non-blocking AF_INET socket; 0 also while that goes on.</summary>
    public static int Connect(int socket, Ipv4 address, int port)
    {
        Span<byte> bytes = stackalloc byte[28];
        var length = Write(bytes, ipv6: false, address, port);
        int result;
        fixed (byte* start = bytes)
            result = Checked(ConnectTo(socket, start, (uint)length));
        return result == -Errno.EINPROGRESS ? 0 : result;
    }

    /// <summary>What has become of it: 0, or the errno that connect() has ended with (SO_ERROR).</summary>
    public static int ErrorOf(int socket)
    {
        var error = 0;
        var length = (uint)sizeof(int);
        return GetOption(socket, SocketLevel, ErrorOption, &error, &length) < 0 ? Marshal.GetLastPInvokeError() : error;
    }

    /// <summary>Whether close() resets the connection, and throws away what has not been sent.</summary>
    public static void ResetOnClose(int socket, bool resets)
    {
        var linger = resets ? 1L : 0; // l_onoff, l_linger 0
        _ = SetOption(socket, SocketLevel, LingerOption, &linger, sizeof(long));
    }

    /// <summary>Says that nothing more is sent.</summary>
    public static int EndSending(int socket) => Checked(Shutdown(socket, EndOfSending));

    /// <summary>Sends what the socket takes without waiting.</summary>
    public static int SendSome(int socket, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
            return (int)Checked(SendBytes(socket, start, bytes.Length, DontWait | NoSignal));
    }

    /// <summary>Receives one message and the descriptor that comes with it, -1 without one. Without waiting; bytes, 0 at the end, or -errno.</summary>
    public static int ReceiveWithDescriptor(SafeHandle socket, Span<byte> into, out int descriptor)
    {
        descriptor = -1;
        var control = stackalloc byte[ControlHead + sizeof(long)];
        fixed (byte* start = into)
        {
            var vector = IoVector.Of(into);
            var header = new MessageHeader { Vectors = (nint)(&vector), VectorCount = 1, Control = (nint)control, ControlLength = ControlHead + sizeof(long) };
            var got = (int)Checked(ReceiveMessage(socket, &header, DontWait | ControlCloseOnExec));
            if (got > 0 && (long)header.ControlLength >= ControlHead + sizeof(int) && ((int*)control)[3] == RightsType)
                descriptor = *(int*)(control + ControlHead);
            return got;
        }
    }

    public static void Close(int descriptor) => _ = CloseDescriptor(descriptor);

    /// <summary>Closes a connection so that its peer sees a reset.</summary>
    public static void Reset(int socket)
    {
        ResetOnClose(socket, resets: true);
        Close(socket);
    }

    private static Ipv4 AddressIn(ReadOnlySpan<byte> name) =>
        new(MemoryMarshal.Read<uint>(MemoryMarshal.Read<ushort>(name) == Inet6 ? name[20..] : name[4..]));

    private static int Write(Span<byte> bytes, bool ipv6, Ipv4 address, int port)
    {
        bytes.Clear();
        MemoryMarshal.Write(bytes, (ushort)(ipv6 ? Inet6 : Inet));
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)port);
        if (!ipv6)
        {
            MemoryMarshal.Write(bytes[4..], address.Network);
            return 16;
        }

        bytes[18] = bytes[19] = 0xff;
        MemoryMarshal.Write(bytes[20..], address.Network);
        return 28;
    }

    private static int Checked(int result) => result < 0 ? -Marshal.GetLastPInvokeError() : result;

    private static nint Checked(nint result) => result < 0 ? -Marshal.GetLastPInvokeError() : result;

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int BindSocket(int socket, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    private static partial int StartListening(int socket, int backlog);

    [LibraryImport("libc", EntryPoint = "getsockname")]
    private static partial int OwnName(int socket, byte* address, uint* length);

    [LibraryImport("libc", EntryPoint = "getpeername")]
    private static partial int PeerName(int socket, byte* address, uint* length);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    private static partial int AcceptNext(int socket, byte* address, uint* length, int flags);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(int socket, int level, int option, void* value, int length);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetOption(int socket, int level, int option, void* value, uint* length);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(int socket, MessageHeader* header, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint ReceiveBytes(int socket, byte* into, nint bytes, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int socket, nuint request, int* value);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint ReceiveMessage(SafeHandle socket, MessageHeader* header, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint SendBytes(int socket, byte* bytes, nint count, int flags);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int ConnectTo(int socket, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    private static partial int Shutdown(int socket, int how);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int ControlFlags(int descriptor, int command, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseDescriptor(int descriptor);
}
