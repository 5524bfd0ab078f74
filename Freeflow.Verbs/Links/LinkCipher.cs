using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Links;

/// <summary>
/// Encrypts what goes over a link: records, each its length (4 bytes, authenticated), its bytes and a tag. Two keys, one for each direction,
/// from the key that the routers have agreed on and both challenges of this very link. Nothing is allocated for a record.
/// </summary>
internal sealed class LinkCipher : IDisposable
{
    /// <summary>Bytes of plain text in a record, at most.</summary>
    public const int MaximumRecord = 32 * 1024;

    private const int HeaderBytes = 4;
    private const int LargestOnWire = HeaderBytes + MaximumRecord + RecordKey.TagBytes;
    private const int RecordsAtOnce = 4;

    private readonly RecordKey _sending;
    private readonly RecordKey _receiving;
    private readonly byte[] _outgoing = GC.AllocateUninitializedArray<byte>(LargestOnWire * RecordsAtOnce, pinned: true);
    private readonly byte[] _incoming = GC.AllocateUninitializedArray<byte>(LargestOnWire * RecordsAtOnce, pinned: true);
    private readonly IoVector[] _vector = new IoVector[1];
    private int _outFrom;
    private int _outTo;
    private int _inFrom;
    private int _inTo;

    public LinkCipher(RecordKey sending, RecordKey receiving) => (_sending, _receiving) = (sending, receiving);

    /// <summary>Whether sealed bytes wait for the socket to take more.</summary>
    public bool HasPending => _outTo > _outFrom;

    /// <summary>Whether a whole record has come and was not opened yet; the socket says nothing of that.</summary>
    public bool HasRecord => _inTo - _inFrom >= HeaderBytes && (LengthOfNext is < 0 or > MaximumRecord || _inTo - _inFrom >= OnWire(LengthOfNext));

    private int LengthOfNext => BinaryPrimitives.ReadInt32LittleEndian(_incoming.AsSpan(_inFrom));

    /// <param name="key">What the routers have agreed on.</param>
    /// <param name="purpose">What the link is for.</param>
    /// <param name="challenges">Both, the listener's first.</param>
    /// <param name="dials">Whether this end has dialed.</param>
    public static LinkCipher Of(LinkCredential key, LinkPurpose purpose, ReadOnlySpan<byte> challenges, bool dials)
    {
        var (dialer, listener) = (SecretOf(key, purpose, challenges, "dialer"), SecretOf(key, purpose, challenges, "listener"));
        return dials ? new LinkCipher(new RecordKey(dialer), new RecordKey(listener)) : new LinkCipher(new RecordKey(listener), new RecordKey(dialer));
    }

    /// <summary>Seals and sends. Bytes of <paramref name="plain"/> that it has taken, which may wait here (<see cref="HasPending"/>), or -errno.</summary>
    public int Send(SafeHandle socket, ReadOnlySpan<byte> plain)
    {
        var flushed = Flush(socket);
        if (flushed < 0)
            return flushed;
        var taken = 0;
        while (taken < plain.Length && _outTo + LargestOnWire <= _outgoing.Length)
        {
            var length = Math.Min(plain.Length - taken, MaximumRecord);
            var header = _outgoing.AsSpan(_outTo, HeaderBytes);
            BinaryPrimitives.WriteInt32LittleEndian(header, length);
            _sending.Seal(
                header, plain.Slice(taken, length), _outgoing.AsSpan(_outTo + HeaderBytes, length), _outgoing.AsSpan(_outTo + HeaderBytes + length, RecordKey.TagBytes));
            _outTo += OnWire(length);
            taken += length;
        }

        flushed = Flush(socket);
        return flushed is < 0 and not -Errno.EAGAIN ? flushed : taken;
    }

    /// <summary>Sends what waits here. 0 when nothing waits any more, or -errno.</summary>
    public int Flush(SafeHandle socket)
    {
        while (HasPending)
        {
            _vector[0] = IoVector.Of(_outgoing.AsSpan(_outFrom, _outTo - _outFrom));
            var sent = StreamSocket.SendVector(socket, _vector);
            if (sent < 0)
                return sent;
            _outFrom += sent;
        }

        (_outFrom, _outTo) = (0, 0);
        return 0;
    }

    /// <summary>
    /// Opens the next record, for which there must be room for <see cref="MaximumRecord"/> bytes, and reads the socket when there is none. Its bytes, 0 at the
    /// end of the connection, or -errno; EBADMSG: it was not sealed by the other end, or is not the next one.
    /// </summary>
    public int Receive(SafeHandle socket, Span<byte> into)
    {
        while (!HasRecord)
        {
            if (_inFrom == _inTo)
                (_inFrom, _inTo) = (0, 0);
            else if (_incoming.Length - _inFrom < LargestOnWire)
            {
                _incoming.AsSpan(_inFrom, _inTo - _inFrom).CopyTo(_incoming);
                (_inFrom, _inTo) = (0, _inTo - _inFrom);
            }

            _vector[0] = IoVector.Of(_incoming.AsSpan(_inTo));
            var got = StreamSocket.ReceiveVector(socket, _vector);
            if (got <= 0)
                return got;
            _inTo += got;
        }

        var length = LengthOfNext;
        if (length is <= 0 or > MaximumRecord)
            return -Errno.EBADMSG;
        var record = _incoming.AsSpan(_inFrom, OnWire(length));
        _inFrom += record.Length;
        return _receiving.TryOpen(record[..HeaderBytes], record.Slice(HeaderBytes, length), record[(HeaderBytes + length)..], into[..length]) ? length : -Errno.EBADMSG;
    }

    public void Dispose()
    {
        _sending.Dispose();
        _receiving.Dispose();
    }

    private static int OnWire(int length) => HeaderBytes + length + RecordKey.TagBytes;

    private static byte[] SecretOf(LinkCredential key, LinkPurpose purpose, ReadOnlySpan<byte> challenges, string direction)
    {
        var secret = new byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Key, secret, challenges, System.Text.Encoding.UTF8.GetBytes($"freeflow link, {purpose}, from the {direction}"));
        return secret;
    }
}
