using System.Net.Sockets;

namespace Freeflow.Verbs.Interop;

/// <summary>SO_REUSEADDR and nothing else (socket(7)).</summary>
public static class PortReuse
{
    private const int SocketLevel = 1;
    private const int ReuseAddress = 2;

    /// <summary>
    /// Lets a listener have its port while connections of the one before it are ending. Set by its number: by its name the runtime sets
    /// SO_REUSEPORT with it, and two routers would share a port.
    /// </summary>
    public static void Allow(Socket listener) => listener.SetRawSocketOption(SocketLevel, ReuseAddress, [1, 0, 0, 0]);
}
