using System.Net.Sockets;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Testbed.Handover;

/// <summary>What a hostile program does to a socket, and the runtime's own sockets do not offer. Returns 0 or -errno.</summary>
public static unsafe partial class SocketCalls
{
    public const int DetachFilterOption = 27;
    public const int LockFilterOption = 44;
    public const int AttachBpfOption = 50;

    private const int SocketLevel = 1;

    /// <summary>connect(AF_UNSPEC)</summary>
    public static int Disconnect(SafeHandle socket)
    {
        var address = stackalloc byte[16];
        return Connect(socket, address, 16) < 0 ? -Marshal.GetLastPInvokeError() : 0;
    }

    /// <summary>A socket that is turned round by <see cref="Disconnect"/>; the runtime's own object of it is closed.</summary>
    public static Socket Reborn(Socket socket)
    {
        if (Disconnect(socket.SafeHandle) is var refused and not 0)
            throw new InvalidOperationException($"connect(AF_UNSPEC): errno {-refused}");
        var copy = StreamSocket.Duplicate(socket.SafeHandle);
        socket.Dispose();
        var reborn = new Socket(new SafeSocketHandle(copy.DangerousGetHandle(), ownsHandle: true));
        copy.SetHandleAsInvalid();
        return reborn;
    }

    public static int StartListening(SafeHandle socket) => Listen(socket, 8) < 0 ? -Marshal.GetLastPInvokeError() : 0;

    public static int SetOption(SafeHandle socket, int option, int value) =>
        SetOption(socket, SocketLevel, option, &value, sizeof(int)) < 0 ? -Marshal.GetLastPInvokeError() : 0;

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int Connect(SafeHandle socket, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    private static partial int Listen(SafeHandle socket, int backlog);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(SafeHandle socket, int level, int option, void* value, int length);
}
