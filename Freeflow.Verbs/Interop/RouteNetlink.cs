using System.Buffers.Binary;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Interop;

/// <summary>A NETLINK_ROUTE socket that hears of address and link changes (rtnetlink(7)).</summary>
internal sealed unsafe partial class RouteNetlink : IDisposable
{
    public const ushort NewLink = 16;
    public const ushort DeleteLink = 17;
    public const ushort GetLink = 18;
    public const ushort NewAddress = 20;
    public const ushort DeleteAddress = 21;
    public const ushort GetAddress = 22;
    public const ushort NewRoute = 24;
    public const ushort GetRoute = 26;
    public const ushort NewNeighbour = 28;
    public const ushort GetNeighbour = 30;
    public const ushort NewNamespaceId = 88;
    public const ushort GetNamespaceId = 90;

    private const int Family = 16;
    private const int RawType = 3;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const uint LinkGroup = 1;
    private const uint Ip4AddressGroup = 0x10;
    private const uint Ip6AddressGroup = 0x100;
    private const ushort Request = 1;
    private const ushort Dump = 0x300;
    private const int HeaderBytes = 16;
    private const ushort Error = 2;
    private const ushort Done = 3;

    private static readonly TimeSpan s_answersWithin = TimeSpan.FromSeconds(1);

    private RouteNetlink(SafeFileHandle handle) => Handle = handle;

    public SafeFileHandle Handle { get; }

    /// <summary>Opens the socket in the calling thread's network namespace, to which it then belongs.</summary>
    public static RouteNetlink Open()
    {
        var descriptor = Socket(Family, RawType | CloseOnExec | NonBlocking, 0);
        if (descriptor < 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "socket(AF_NETLINK)");
        var handle = new SafeFileHandle(descriptor, true);
        Span<byte> address = stackalloc byte[12];
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, Family);
        BinaryPrimitives.WriteUInt32LittleEndian(address[8..], LinkGroup | Ip4AddressGroup | Ip6AddressGroup);
        fixed (byte* name = address)
        {
            if (Bind(handle, name, (uint)address.Length) >= 0)
                return new RouteNetlink(handle);
        }

        var error = Marshal.GetLastPInvokeError();
        handle.Dispose();
        throw new Win32Exception(error, "bind(AF_NETLINK)");
    }

    /// <summary>What is done with a message; true: it was the last one.</summary>
    public delegate bool Message(ushort type, ReadOnlySpan<byte> body);

    /// <summary>What is done with a message.</summary>
    public delegate void Taking(ushort type, ReadOnlySpan<byte> body);

    /// <summary>Asks for all links, addresses, routes or neighbours; the answers come as ordinary messages.</summary>
    /// <param name="type">Of the request.</param>
    /// <param name="family">AF_INET and the like; 0: all that are asked for in one list.</param>
    public void Ask(ushort type, byte family = 0)
    {
        Span<byte> message = stackalloc byte[HeaderBytes + 16];
        message.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message[4..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(message[6..], Request | Dump);
        message[HeaderBytes] = family;
        fixed (byte* bytes = message)
            _ = Send(Handle, bytes, message.Length, 0);
    }

    /// <summary>Asks by which number (NETNSA_NSID) this namespace knows another; the answer comes as <see cref="NewNamespaceId"/>.</summary>
    public void AskNamespaceId(SafeHandle networkNamespace)
    {
        // struct rtgenmsg, padded; then NETNSA_FD.
        const ushort descriptorAttribute = 3;
        Span<byte> message = stackalloc byte[HeaderBytes + 4 + 8];
        message.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message[4..], GetNamespaceId);
        BinaryPrimitives.WriteUInt16LittleEndian(message[6..], Request);
        BinaryPrimitives.WriteUInt16LittleEndian(message[20..], 8);
        BinaryPrimitives.WriteUInt16LittleEndian(message[22..], descriptorAttribute);
        BinaryPrimitives.WriteInt32LittleEndian(message[24..], (int)networkNamespace.DangerousGetHandle());
        fixed (byte* bytes = message)
            _ = Send(Handle, bytes, message.Length, 0);
    }

    /// <summary>Reads a list that was asked for, and what else comes meanwhile. Throws TimeoutException when the kernel does not end it.</summary>
    public void ReadList(Taking take) => Read((type, body) =>
    {
        if (type is Done or Error)
            return true;
        take(type, body);
        return false;
    });

    /// <summary>Reads messages until one is the last. Throws TimeoutException when none is within a second.</summary>
    public void Read(Message isLast)
    {
        var buffer = new byte[64 * 1024];
        for (var since = Stopwatch.StartNew(); since.Elapsed < s_answersWithin;)
        {
            var got = Receive(buffer);
            if (got <= 0)
            {
                Thread.Sleep(1);
                continue;
            }

            ReadOnlySpan<byte> datagram = buffer.AsSpan(0, got);
            while (TryNext(ref datagram, out var type, out var body))
            {
                if (isLast(type, body))
                    return;
            }
        }

        throw new TimeoutException($"the kernel has not told of this host's network within {s_answersWithin.TotalSeconds} s");
    }

    /// <summary>Receives one datagram: bytes, 0 when there is none, or -errno (ENOBUFS when messages were lost).</summary>
    public int Receive(Span<byte> into)
    {
        const int dontWait = 0x40;
        fixed (byte* bytes = into)
        {
            var got = Receive(Handle, bytes, into.Length, dontWait);
            if (got >= 0)
                return (int)got;
            var error = Marshal.GetLastPInvokeError();
            return error is Errno.EAGAIN or Errno.EINTR ? 0 : -error;
        }
    }

    /// <summary>Splits off a datagram's next message; false at its end or where it is malformed.</summary>
    public static bool TryNext(ref ReadOnlySpan<byte> datagram, out ushort type, out ReadOnlySpan<byte> body)
    {
        type = 0;
        body = default;
        if (datagram.Length < HeaderBytes)
            return false;
        var length = BinaryPrimitives.ReadInt32LittleEndian(datagram);
        if (length < HeaderBytes || length > datagram.Length)
            return false;
        type = BinaryPrimitives.ReadUInt16LittleEndian(datagram[4..]);
        body = datagram[HeaderBytes..length];
        datagram = datagram[Math.Min(datagram.Length, (length + 3) & ~3)..];
        return true;
    }

    /// <summary>Splits off the next attribute (<c>struct rtattr</c>).</summary>
    public static bool TryNextAttribute(ref ReadOnlySpan<byte> attributes, out ushort type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (attributes.Length < 4)
            return false;
        var length = BinaryPrimitives.ReadUInt16LittleEndian(attributes);
        if (length < 4 || length > attributes.Length)
            return false;
        type = BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]);
        value = attributes[4..length];
        attributes = attributes[Math.Min(attributes.Length, (length + 3) & ~3)..];
        return true;
    }

    public void Dispose() => Handle.Dispose();

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(SafeHandle socket, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(SafeHandle socket, byte* message, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(SafeHandle socket, byte* into, nint length, int flags);
}
