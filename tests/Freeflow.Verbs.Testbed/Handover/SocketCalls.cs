using System.Runtime.InteropServices;

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
