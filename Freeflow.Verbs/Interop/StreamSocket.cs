using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Interop;

/// <summary>Non-blocking vectored calls on a connected stream socket, without allocation. They return bytes, or -errno.</summary>
public static unsafe partial class StreamSocket
{
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int DuplicateCloseOnExec = 1030;
    private const int TcpLevel = 6;
    private const int CongestionOption = 13;

    public static int ReceiveVector(SafeHandle socket, ReadOnlySpan<IoVector> into)
    {
        fixed (IoVector* vectors = into)
        {
            var header = new MessageHeader { Vectors = (nint)vectors, VectorCount = into.Length };
            var got = Receive(socket, &header, DontWait);
            return got < 0 ? -Marshal.GetLastPInvokeError() : (int)got;
        }
    }

    public static int SendVector(SafeHandle socket, ReadOnlySpan<IoVector> from)
    {
        fixed (IoVector* vectors = from)
        {
            var header = new MessageHeader { Vectors = (nint)vectors, VectorCount = from.Length };
            var sent = Send(socket, &header, DontWait | NoSignal);
            return sent < 0 ? -Marshal.GetLastPInvokeError() : (int)sent;
        }
    }

    /// <summary>Has TCP use another congestion control (tcp(7), TCP_CONGESTION). False where the kernel has none of that name.</summary>
    public static bool TrySetCongestionControl(SafeHandle socket, string name)
    {
        fixed (byte* bytes = Encoding.ASCII.GetBytes(name))
            return SetOption(socket, TcpLevel, CongestionOption, bytes, name.Length) == 0;
    }

    /// <summary>Takes the descriptor out of a managed socket, which is disposed.</summary>
    public static SafeFileHandle Take(Socket socket)
    {
        using (socket)
            return Duplicate(socket.SafeHandle);
    }

    /// <summary>A second descriptor of the same socket.</summary>
    public static SafeFileHandle Duplicate(SafeHandle socket)
    {
        var duplicate = Control(socket, DuplicateCloseOnExec, 0);
        return duplicate < 0
            ? throw new Win32Exception(Marshal.GetLastPInvokeError(), "fcntl(F_DUPFD_CLOEXEC)")
            : new SafeFileHandle(duplicate, ownsHandle: true);
    }

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint Receive(SafeHandle socket, MessageHeader* header, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint Send(SafeHandle socket, MessageHeader* header, int flags);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(SafeHandle socket, int level, int option, byte* value, int length);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeHandle descriptor, int command, int argument);
}
