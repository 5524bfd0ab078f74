using System.Net;
using System.Net.Sockets;

namespace Freeflow.Verbs.Links;

/// <summary>
/// Accepts links from other routers. Whoever does not prove within <see cref="HandshakeTimeout"/> that it is a
/// member is closed, and reported with the reason.
/// </summary>
public sealed class LinkListener : IDisposable
{
    private const int MaximumHandshakes = 64;

    private readonly Socket _listener;
    private readonly string _ownNode;
    private readonly Func<string, LinkCredential?> _credentialOf;
    private readonly Action<string, AuthenticatedLink> _accepted;
    private readonly Action<string> _refused;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _handshakes = new(MaximumHandshakes);

    public LinkListener(
        IPEndPoint at, string ownNode, Func<string, LinkCredential?> credentialOf,
        Action<string, AuthenticatedLink> accepted, Action<string> refused)
    {
        _ownNode = ownNode;
        _credentialOf = credentialOf;
        _accepted = accepted;
        _refused = refused;
        _listener = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.Bind(at);
        _listener.Listen(64);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _ = AcceptAllAsync();
    }

    public static TimeSpan HandshakeTimeout { get; } = TimeSpan.FromSeconds(5);

    public int Port { get; }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAllAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _handshakes.WaitAsync(_stop.Token).ConfigureAwait(false);
                _ = ShakeHandsAsync(await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false));
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                _handshakes.Release();
                if (_stop.IsCancellationRequested)
                    return;
                _refused($"accepting failed: {error.Message}");
                await Task.Delay(100).ConfigureAwait(false);
            }
        }
    }

    private async Task ShakeHandsAsync(Socket socket)
    {
        var from = socket.RemoteEndPoint;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(HandshakeTimeout);
            var (dialer, purpose) = await LinkHandshake.AcceptAsync(socket, _ownNode, _credentialOf, limit.Token).ConfigureAwait(false);
            _accepted(dialer, new AuthenticatedLink(socket, purpose));
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            _refused($"{from}: no handshake within {HandshakeTimeout.TotalSeconds} s");
        }
        catch (Exception error) when (error is SocketException or InvalidDataException or ObjectDisposedException)
        {
            socket.Dispose();
            _refused($"{from}: {error.Message}");
        }
        finally
        {
            _handshakes.Release();
        }
    }
}
