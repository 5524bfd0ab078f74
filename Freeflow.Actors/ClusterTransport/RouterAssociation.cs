using System.Buffers;
using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace Freeflow.Actors.ClusterTransport;

/// <summary>
/// A connection to another router. Each message has its length before it, 4 bytes, the lowest first. What can't be sent at once
/// waits, up to a bound beyond which Akka keeps it and tries again.
/// </summary>
internal sealed class RouterAssociation : AssociationHandle
{
    private const int LengthBytes = 4;
    private const int WrittenAtOnce = 64 * 1024;
    private const int MaximumWaiting = 16 << 20;

    private static readonly TimeSpan s_flushWithin = TimeSpan.FromSeconds(2);

    private readonly Channel<ByteString> _outgoing = Channel.CreateUnbounded<ByteString>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly int _maximumFrame;
    private readonly Action<RouterAssociation, string?> _ended;
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _waiting;
    private int _isEnding;
    private int _isOver;

    /// <param name="local">This end.</param>
    /// <param name="remote">The other.</param>
    /// <param name="socket">Connected; closed by this.</param>
    /// <param name="secured">TLS on it; null: none.</param>
    /// <param name="isDialed">Whether this end has called.</param>
    /// <param name="maximumFrame">Bytes of the largest message.</param>
    /// <param name="ended">Told once when it is over, with the reason when it was not meant to be.</param>
    public RouterAssociation(Address local, Address remote, Socket socket, Secured? secured, bool isDialed, int maximumFrame, Action<RouterAssociation, string?> ended)
        : base(local, remote)
    {
        _socket = socket;
        _stream = secured?.Stream ?? (Stream)new NetworkStream(socket, ownsSocket: true);
        _maximumFrame = maximumFrame;
        _ended = ended;
        IsDialed = isDialed;
        (Peer, Between) = (secured?.Peer, secured?.Between ?? []);
    }

    /// <summary>What the other end has shown; null without TLS.</summary>
    public X509Certificate2? Peer { get; }

    /// <summary>What it has shown with it.</summary>
    public X509Certificate2Collection Between { get; }

    public bool IsDialed { get; }

    /// <summary>Whether the other end has said anything.</summary>
    public bool HasHeard { get; private set; }

    /// <summary>Completes when the connection is closed.</summary>
    public Task Over => _over.Task;

    public void Start()
    {
        _ = Task.Run(WriteAsync);
        _ = Task.Run(ReadAsync);
    }

    public override bool Write(ByteString payload)
    {
        if (Volatile.Read(ref _waiting) > MaximumWaiting)
            return false;
        Interlocked.Add(ref _waiting, payload.Length);
        return _outgoing.Writer.TryWrite(payload);
    }

    /// <summary>What waits is still sent; the connection is closed when the other end has closed it too, or after a while.</summary>
    [Obsolete("As in the base class: with the reason it is logged.")]
    public override void Disassociate()
    {
        if (Interlocked.Exchange(ref _isEnding, 1) != 0)
            return;
        _outgoing.Writer.TryComplete();
        _ = Task.Delay(s_flushWithin).ContinueWith(_ => Close(null), TaskScheduler.Default);
    }

    /// <summary>Closes it now.</summary>
    public void Close(string? reason)
    {
        if (Interlocked.Exchange(ref _isOver, 1) != 0)
            return;
        _outgoing.Writer.TryComplete();
        // Read and write calls that are under way fail with that.
        _stream.Dispose();
        _ended(this, reason);
        _over.TrySetResult();
        if (ReadHandlerSource.Task is { IsCompletedSuccessfully: true, Result: var listener })
            listener.Notify(new Disassociated(DisassociateInfo.Unknown));
        else
            _ = ReadHandlerSource.Task.ContinueWith(
                heard => heard.Result.Notify(new Disassociated(DisassociateInfo.Unknown)), TaskContinuationOptions.OnlyOnRanToCompletion);
    }

    private async Task WriteAsync()
    {
        var batch = new ArrayBufferWriter<byte>(WrittenAtOnce);
        try
        {
            while (await _outgoing.Reader.WaitToReadAsync().ConfigureAwait(false))
            {
                var bytes = 0;
                while (batch.WrittenCount < WrittenAtOnce && _outgoing.Reader.TryRead(out var payload))
                {
                    BinaryPrimitives.WriteInt32LittleEndian(batch.GetSpan(LengthBytes), payload.Length);
                    batch.Advance(LengthBytes);
                    batch.Write(payload.Span);
                    bytes += payload.Length;
                }

                await _stream.WriteAsync(batch.WrittenMemory).ConfigureAwait(false);
                Interlocked.Add(ref _waiting, -bytes);
                batch.ResetWrittenCount();
            }

            if (_stream is SslStream secured)
                await secured.ShutdownAsync().ConfigureAwait(false);
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error)
        {
            Close(Handshake.Innermost(error));
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            var listener = await ReadHandlerSource.Task.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            Close(await ReadFramesAsync(listener).ConfigureAwait(false));
        }
        catch (Exception error)
        {
            Close(Handshake.Innermost(error));
        }
    }

    /// <summary>Until the connection ends, or what comes is no message; then it says why.</summary>
    private async Task<string?> ReadFramesAsync(IHandleEventListener listener)
    {
        var buffer = new byte[WrittenAtOnce];
        var (first, end) = (0, 0);
        while (true)
        {
            while (end - first >= LengthBytes)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(first));
                if (!HasHeard && Peer is null && Handshake.LooksLikeTls(buffer.AsSpan(first, end - first)))
                    return "it speaks TLS, and this router has no certificates: set freeflow.tls here";
                if (length < 0 || length > _maximumFrame)
                    return $"it sends what is no message ({(uint)length} bytes)";
                if (end - first < LengthBytes + length)
                {
                    if (buffer.Length < LengthBytes + length)
                        Array.Resize(ref buffer, LengthBytes + length);
                    break;
                }

                HasHeard = true;
                if (Volatile.Read(ref _isEnding) == 0)
                    listener.Notify(new InboundPayload(ByteString.CopyFrom(buffer, first + LengthBytes, length)));
                first += LengthBytes + length;
            }

            buffer.AsSpan(first, end - first).CopyTo(buffer);
            (first, end) = (0, end - first);
            var got = await _stream.ReadAsync(buffer.AsMemory(end)).ConfigureAwait(false);
            if (got == 0)
                return null;
            end += got;
        }
    }
}
