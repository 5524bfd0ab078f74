using System.Net;
using System.Net.Sockets;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Underlay;

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
    private readonly bool _encrypt;
    private readonly Action<string, AuthenticatedLink> _accepted;
    private readonly Action<string> _refused;
    private readonly IPNetwork? _allowed;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _handshakes = new(MaximumHandshakes);

    /// <param name="at">Where to listen.</param>
    /// <param name="ownNode">This router.</param>
    /// <param name="credentialOf">The key that was agreed with another; null: it is no member.</param>
    /// <param name="encrypt">Whether links are encrypted, whatever the other end wants.</param>
    /// <param name="accepted">Told of those that are members.</param>
    /// <param name="refused">Told of the others.</param>
    /// <param name="allowed">The network from which connections are taken; null: from everywhere.</param>
    public LinkListener(
        IPEndPoint at, string ownNode, Func<string, LinkCredential?> credentialOf, bool encrypt,
        Action<string, AuthenticatedLink> accepted, Action<string> refused, IPNetwork? allowed = null)
    {
        _allowed = allowed;
        _ownNode = ownNode;
        _credentialOf = credentialOf;
        _encrypt = encrypt;
        _accepted = accepted;
        _refused = refused;
        _listener = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        PortReuse.Allow(_listener);
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
        EndPoint? from = null;
        try
        {
            from = socket.RemoteEndPoint;
            if (from is IPEndPoint { Address: var address } && OpenUnderlay.Refusal(address, _allowed) is { } stranger)
                throw new InvalidDataException(stranger);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(HandshakeTimeout);
            var (dialer, purpose, cipher) = await LinkHandshake.AcceptAsync(socket, _ownNode, _credentialOf, _encrypt, limit.Token).ConfigureAwait(false);
            _accepted(dialer, new AuthenticatedLink(socket, purpose, cipher));
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
