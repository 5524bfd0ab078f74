using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Links;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// An authenticated connection to a peer's handover thread. Frames have one size and go out together at the end of a round; a
/// peer that does not read them is given up.
/// </summary>
internal sealed class HandoverLink : IDisposable
{
    private const int BufferBytes = 4 << 20;

    private readonly AuthenticatedLink _link;
    private readonly byte[] _outgoing = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private readonly byte[] _incoming = GC.AllocateUninitializedArray<byte>(HandoverFrame.Size * 1024, pinned: true);
    private readonly IoVector[] _vector = new IoVector[1];
    private int _from;
    private int _to;
    private int _have;

    public HandoverLink(HandoverPeer peer, AuthenticatedLink link, ulong key, long now)
    {
        (Peer, _link, Key, LastHeard) = (peer, link, key, now);
    }

    public HandoverPeer Peer { get; }

    public ulong Key { get; }

    public SafeHandle Socket => _link.Socket;

    /// <summary>In the loop's milliseconds.</summary>
    public long LastHeard { get; private set; }

    /// <summary>Why it can't be used any more; null while it can.</summary>
    public string? Broken { get; private set; }

    /// <summary>Whether frames wait to be written.</summary>
    public bool HasOutgoing => _to > _from || _link.Cipher is { HasPending: true };

    /// <summary>Whether more frames have come than <see cref="Receive"/> has given; the socket says nothing of them.</summary>
    public bool HasMore => _link.Cipher is { HasRecord: true };

    /// <summary>Whether the loop waits for the socket to take more.</summary>
    public bool AwaitsRoom { get; set; }

    public void Send(in HandoverFrame frame)
    {
        if (_to + HandoverFrame.Size > _outgoing.Length)
        {
            _outgoing.AsSpan(_from, _to - _from).CopyTo(_outgoing);
            (_from, _to) = (0, _to - _from);
        }

        if (_to + HandoverFrame.Size > _outgoing.Length)
        {
            Broken ??= "the peer does not read";
            return;
        }

        MemoryMarshal.Write(_outgoing.AsSpan(_to), frame);
        _to += HandoverFrame.Size;
    }

    /// <summary>Writes what the socket takes.</summary>
    public void Flush()
    {
        while (HasOutgoing && Broken is null)
        {
            var sent = SendWaiting();
            if (sent == -Errno.EAGAIN)
                return;
            if (sent < 0)
                Broken ??= $"sending failed (errno {-sent})";
            else
                _from += sent;
        }

        if (_from == _to)
            (_from, _to) = (0, 0);
    }

    /// <summary>Reads once; the whole frames of it, valid until the next call.</summary>
    public ReadOnlySpan<HandoverFrame> Receive(long now)
    {
        var rest = _have % HandoverFrame.Size;
        if (_have > 0)
            _incoming.AsSpan(_have - rest, rest).CopyTo(_incoming);
        _have = rest;
        var got = ReceiveInto(_incoming.AsSpan(_have));
        if (got == -Errno.EAGAIN)
            return [];
        if (got <= 0)
        {
            Broken ??= got == 0 ? "closed by the peer" : got == -Errno.EBADMSG ? "it was tampered with: a record does not open" : $"receiving failed (errno {-got})";
            return [];
        }

        LastHeard = now;
        _have += got;
        return MemoryMarshal.Cast<byte, HandoverFrame>(_incoming.AsSpan(0, _have - (_have % HandoverFrame.Size)));
    }

    public void Dispose() => _link.Dispose();

    /// <summary>0 when only sealed bytes have waited, and are sent.</summary>
    private int SendWaiting()
    {
        var waiting = _outgoing.AsSpan(_from, _to - _from);
        if (_link.Cipher is { } cipher)
            return waiting.IsEmpty ? cipher.Flush(Socket) : cipher.Send(Socket, waiting);
        _vector[0] = IoVector.Of(waiting);
        return StreamSocket.SendVector(Socket, _vector);
    }

    private int ReceiveInto(Span<byte> buffer)
    {
        if (_link.Cipher is { } cipher)
            return cipher.Receive(Socket, buffer);
        _vector[0] = IoVector.Of(buffer);
        return StreamSocket.ReceiveVector(Socket, _vector);
    }
}
