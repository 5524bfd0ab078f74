using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Links;

/// <summary>The secret that two routers share, agreed over the cluster's own connection: 32 bytes.</summary>
public sealed record LinkCredential(byte[] Key);

/// <summary>A connected socket whose other end has proven who it is. Whoever holds it closes it.</summary>
public sealed class AuthenticatedLink : IDisposable
{
    internal AuthenticatedLink(Socket socket, LinkPurpose purpose, LinkCipher? cipher)
    {
        (Purpose, Cipher) = (purpose, cipher);
        socket.NoDelay = true;
        Socket = Interop.StreamSocket.Take(socket);
    }

    public LinkPurpose Purpose { get; }

    public bool IsEncrypted => Cipher is not null;

    /// <summary>Through which all bytes have to go; null: they go as they are.</summary>
    internal LinkCipher? Cipher { get; }

    /// <summary>The bare descriptor, no longer known to the runtime's own socket engine.</summary>
    public SafeFileHandle Socket { get; }

    public void Dispose()
    {
        Socket.Dispose();
        Cipher?.Dispose();
    }
}
