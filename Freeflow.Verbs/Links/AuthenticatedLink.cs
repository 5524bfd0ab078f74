using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Links;

/// <summary>The secret that two routers share, agreed over the cluster's own connection: 32 bytes.</summary>
public sealed record LinkCredential(byte[] Key);

/// <summary>A connected socket whose other end has proven who it is. Whoever holds it closes it.</summary>
public sealed class AuthenticatedLink : IDisposable
{
    internal AuthenticatedLink(Socket socket, LinkPurpose purpose)
    {
        Purpose = purpose;
        socket.NoDelay = true;
        Socket = Interop.StreamSocket.Take(socket);
    }

    public LinkPurpose Purpose { get; }

    /// <summary>The bare descriptor, no longer known to the runtime's own socket engine.</summary>
    public SafeFileHandle Socket { get; }

    public void Dispose() => Socket.Dispose();
}
