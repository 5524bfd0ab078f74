using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Interop;

/// <summary>Unix sockets with descriptors attached to messages, which the runtime's own sockets do not offer (unix(7)).</summary>
internal static unsafe partial class UnixSocket
{
    private const int Family = 1;
    private const int StreamType = 1;
    private const int SequencedPacketType = 5;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int ControlCloseOnExec = 0x40000000;
    private const int Truncated = 0x20;
    private const int ControlTruncated = 0x8;
    private const int SocketLevel = 1;
    private const int RightsType = 1;
    private const int ControlHead = 16;
    private const int MaximumDescriptors = 16;

    public static (SafeFileHandle Ours, SafeFileHandle Theirs) StreamPair()
    {
        var pair = stackalloc int[2];
        Check(Pair(Family, StreamType | CloseOnExec, 0, pair), "socketpair");
        return (new SafeFileHandle(pair[0], true), new SafeFileHandle(pair[1], true));
    }

    /// <summary>A SOCK_SEQPACKET pair, both ends blocking.</summary>
    public static (SafeFileHandle Ours, SafeFileHandle Theirs) SequencedPair()
    {
        var pair = stackalloc int[2];
        Check(Pair(Family, SequencedPacketType | CloseOnExec, 0, pair), "socketpair");
        return (new SafeFileHandle(pair[0], true), new SafeFileHandle(pair[1], true));
    }

    /// <summary>A listening SOCK_SEQPACKET socket at <paramref name="path"/>, non-blocking.</summary>
    public static SafeFileHandle Listen(string path, int backlog)
    {
        var handle = new SafeFileHandle(Check(Open(Family, SequencedPacketType | CloseOnExec | NonBlocking, 0), "socket"), true);
        Span<byte> address = stackalloc byte[110];
        address.Clear();
        address[0] = Family;
        var length = Encoding.UTF8.GetByteCount(path);
        if (length > 107)
            throw new ArgumentException($"{path}: a socket's path has at most 107 bytes", nameof(path));
        Encoding.UTF8.GetBytes(path, address[2..]);
        fixed (byte* name = address)
            Check(Bind(handle, name, (uint)(2 + length + 1)), $"bind {path}");
        Check(StartListening(handle, backlog), "listen");
        return handle;
    }

    /// <summary>The next connection, non-blocking; else null, and why: EAGAIN when none waits.</summary>
    public static SafeFileHandle? Accept(SafeHandle listener, out int errno)
    {
        var descriptor = AcceptNext(listener, 0, 0, CloseOnExec | NonBlocking);
        errno = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, true);
    }

    /// <summary>
    /// Receives one message and the descriptors with it. Returns its bytes, 0 at the end, or -errno; EMSGSIZE when message
    /// or descriptors were truncated (those that came are closed). <paramref name="isWithout"/>: the message is whole, but this
    /// process had no room for its descriptors, and has none of them.
    /// </summary>
    public static int Receive(SafeHandle socket, Span<byte> into, List<SafeFileHandle> descriptors, out bool isWithout)
    {
        isWithout = false;
        const int messageTooLong = 90;
        var control = stackalloc byte[ControlHead + (MaximumDescriptors * sizeof(int))];
        fixed (byte* buffer = into)
        {
            var vector = IoVector.Of(into);
            var header = new MessageHeader
            {
                Vectors = (nint)(&vector),
                VectorCount = 1,
                Control = (nint)control,
                ControlLength = ControlHead + (MaximumDescriptors * sizeof(int)),
            };
            var got = ReceiveMessage(socket, &header, DontWait | ControlCloseOnExec);
            if (got < 0)
                return -Marshal.GetLastPInvokeError();
            TakeDescriptors(control, (long)header.ControlLength, descriptors);
            if ((header.Flags & (Truncated | ControlTruncated)) == 0)
                return (int)got;
            isWithout = (header.Flags & Truncated) == 0 && descriptors.Count < MaximumDescriptors;
            foreach (var descriptor in descriptors)
                descriptor.Dispose();
            descriptors.Clear();
            return isWithout ? (int)got : -messageTooLong;
        }
    }

    /// <summary>Sends one message with descriptors; never blocks. Returns bytes or -errno.</summary>
    public static int Send(SafeHandle socket, ReadOnlySpan<byte> message, IReadOnlyList<SafeFileHandle> descriptors)
    {
        if (descriptors.Count > MaximumDescriptors)
            throw new ArgumentException("too many descriptors for one message", nameof(descriptors));
        var control = stackalloc byte[ControlHead + (MaximumDescriptors * sizeof(int))];
        var added = 0;
        try
        {
            fixed (byte* buffer = message)
            {
                var vector = IoVector.Of(message);
                var header = new MessageHeader { Vectors = (nint)(&vector), VectorCount = 1 };
                if (descriptors.Count > 0)
                {
                    *(long*)control = ControlHead + (descriptors.Count * sizeof(int));
                    ((int*)control)[2] = SocketLevel;
                    ((int*)control)[3] = RightsType;
                    for (; added < descriptors.Count; added++)
                    {
                        var held = false;
                        descriptors[added].DangerousAddRef(ref held);
                        ((int*)control)[4 + added] = (int)descriptors[added].DangerousGetHandle();
                    }

                    header.Control = (nint)control;
                    header.ControlLength = (ControlHead + (descriptors.Count * sizeof(int)) + 7) & ~7;
                }

                var sent = SendMessage(socket, &header, DontWait | NoSignal);
                return sent < 0 ? -Marshal.GetLastPInvokeError() : (int)sent;
            }
        }
        finally
        {
            while (added-- > 0)
                descriptors[added].DangerousRelease();
        }
    }

    private static void TakeDescriptors(byte* control, long length, List<SafeFileHandle> into)
    {
        for (long at = 0; at + ControlHead <= length;)
        {
            var size = *(long*)(control + at);
            if (size < ControlHead || at + size > length)
                return;
            if (*(int*)(control + at + 8) == SocketLevel && *(int*)(control + at + 12) == RightsType)
            {
                for (var i = at + ControlHead; i + sizeof(int) <= at + size; i += sizeof(int))
                    into.Add(new SafeFileHandle(*(int*)(control + i), true));
            }

            at += (size + 7) & ~7L;
        }
    }

    private static int Check(int result, string call) =>
        result < 0 ? throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{call}: {Marshal.GetLastPInvokeErrorMessage()}") : result;

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    private static partial int Pair(int family, int type, int protocol, int* pair);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Open(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(SafeHandle socket, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    private static partial int StartListening(SafeHandle socket, int backlog);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    private static partial int AcceptNext(SafeHandle socket, nint address, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint ReceiveMessage(SafeHandle socket, MessageHeader* header, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(SafeHandle socket, MessageHeader* header, int flags);
}
