using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Freeflow.Verbs.Links;

/// <summary>
/// The key of one direction of a link: AES-256-GCM. A record's nonce is its number, so that one that is repeated, left out or moved does not
/// open. After so many records that AES-GCM's bounds come nearer the key is followed by one that is derived from it, at both ends at the
/// same record.
/// </summary>
internal sealed class RecordKey : IDisposable
{
    public const int TagBytes = 16;

    private const int NonceBytes = 12;
    private const int KeyBytes = 32;

    /// <summary>Of <see cref="LinkCipher.MaximumRecord"/> bytes at most: RFC 8446, 5.5 allows 2^24.5 of half the size.</summary>
    public const ulong RecordsPerKey = 1 << 22;

    private readonly byte[] _nonce = new byte[NonceBytes];
    private readonly byte[] _secret;
    private readonly ulong _recordsPerKey;
    private AesGcm _cipher;
    private ulong _number;

    /// <param name="secret">32 bytes, this direction's of this link alone.</param>
    /// <param name="recordsPerKey">After how many another one follows.</param>
    public RecordKey(byte[] secret, ulong recordsPerKey = RecordsPerKey)
    {
        (_secret, _recordsPerKey) = (secret, recordsPerKey);
        _cipher = CipherOf(secret);
    }

    public void Seal(ReadOnlySpan<byte> header, ReadOnlySpan<byte> plain, Span<byte> sealedBytes, Span<byte> tag)
    {
        var nonce = NextNonce();
        _cipher.Encrypt(nonce, plain, sealedBytes, tag, header);
    }

    /// <summary>False when it is not the next record that the other end has sealed.</summary>
    public bool TryOpen(ReadOnlySpan<byte> header, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> tag, Span<byte> plain)
    {
        var nonce = NextNonce();
        try
        {
            _cipher.Decrypt(nonce, sealedBytes, tag, plain, header);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _cipher.Dispose();
        CryptographicOperations.ZeroMemory(_secret);
    }

    /// <summary>Of the next record, for which there may be another key from now on.</summary>
    private ReadOnlySpan<byte> NextNonce()
    {
        if (_number == _recordsPerKey)
        {
            HKDF.Expand(HashAlgorithmName.SHA256, _secret, _secret.AsSpan(), "freeflow link, next key"u8);
            _cipher.Dispose();
            _cipher = CipherOf(_secret);
            _number = 0;
        }

        BinaryPrimitives.WriteUInt64LittleEndian(_nonce.AsSpan(NonceBytes - sizeof(ulong)), _number++);
        return _nonce;
    }

    private static AesGcm CipherOf(ReadOnlySpan<byte> secret)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        HKDF.Expand(HashAlgorithmName.SHA256, secret, key, "freeflow link, records"u8);
        var cipher = new AesGcm(key, TagBytes);
        CryptographicOperations.ZeroMemory(key);
        return cipher;
    }
}
