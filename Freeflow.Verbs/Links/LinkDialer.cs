using System.Net;
using System.Net.Sockets;

namespace Freeflow.Verbs.Links;

/// <summary>Opens a data link to another router.</summary>
public static class LinkDialer
{
    /// <summary>Connects from <paramref name="from"/> and shakes hands; throws SocketException or InvalidDataException with the reason.</summary>
    public static async Task<AuthenticatedLink> DialAsync(
        IPAddress from, IPEndPoint to, string ownNode, string peerNode, LinkPurpose purpose, LinkCredential credential, bool encrypt, CancellationToken stop)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(from, 0));
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(LinkListener.HandshakeTimeout);
            await socket.ConnectAsync(to, limit.Token).ConfigureAwait(false);
            var cipher = await LinkHandshake.DialAsync(socket, ownNode, peerNode, purpose, credential, encrypt, limit.Token).ConfigureAwait(false);
            return new AuthenticatedLink(socket, purpose, cipher);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
