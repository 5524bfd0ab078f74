using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Freeflow.Verbs.Links;

/// <summary>
/// Both ends of a new link prove that they know the pair's key, before a frame is sent. The listener says whether it wants the link to be
/// encrypted and sends a challenge; the dialer answers with its purpose, its own wish, its name, a challenge of its own and a proof; the
/// listener answers with its proof. A proof is HMAC-SHA256 over the role, the purpose, both wishes, both names and both challenges, so none of it
/// can be changed on the way, nor used for another link. It is encrypted when one of them wishes it.
/// </summary>
internal static class LinkHandshake
{
    public const int ChallengeBytes = 32;
    private const int ProofBytes = 32;
    private const int PurposeBytes = 1;
    private const int WishBytes = 1;
    private const int LengthBytes = 4;
    private const int MaximumName = 256;

    // "FFLK", then the version of the handshake and of the frames that follow.
    private static readonly byte[] s_greeting = [0x46, 0x46, 0x4c, 0x4b, 4, 0, 0, 0];

    /// <summary>Returns what encrypts the link; null: nothing.</summary>
    public static async Task<LinkCipher?> DialAsync(
        Socket socket, string ownNode, string peerNode, LinkPurpose purpose, LinkCredential credential, bool encrypt, CancellationToken stop)
    {
        var opening = await ReceiveAsync(socket, s_greeting.Length + WishBytes + ChallengeBytes, stop).ConfigureAwait(false);
        Require(opening.AsSpan(0, s_greeting.Length).SequenceEqual(s_greeting), "the listener speaks another protocol or version");
        var wishes = new Wishes(Dialer: encrypt, Listener: WishOf(opening[s_greeting.Length]));
        var theirs = opening[(s_greeting.Length + WishBytes)..];
        var ours = RandomNumberGenerator.GetBytes(ChallengeBytes);
        var name = Encoding.UTF8.GetBytes(ownNode);
        var length = new byte[LengthBytes];
        BinaryPrimitives.WriteInt32LittleEndian(length, name.Length);
        byte[] hello =
        [
            .. s_greeting, (byte)purpose, ByteOf(encrypt), .. length, .. name, .. ours,
            .. Proof("dialer", purpose, wishes, credential, ownNode, peerNode, theirs, ours),
        ];
        await SendAsync(socket, hello, stop).ConfigureAwait(false);
        var proof = await ReceiveAsync(socket, ProofBytes, stop).ConfigureAwait(false);
        Require(
            CryptographicOperations.FixedTimeEquals(proof, Proof("listener", purpose, wishes, credential, ownNode, peerNode, theirs, ours)),
            "the listener does not know the key");
        return wishes.Encrypted ? LinkCipher.Of(credential, purpose, [.. theirs, .. ours], dials: true) : null;
    }

    /// <summary>Returns the dialer's name, what the link is for and what encrypts it.</summary>
    public static async Task<(string Dialer, LinkPurpose Purpose, LinkCipher? Cipher)> AcceptAsync(
        Socket socket, string ownNode, Func<string, LinkCredential?> credentialOf, bool encrypt, CancellationToken stop)
    {
        var ours = RandomNumberGenerator.GetBytes(ChallengeBytes);
        await SendAsync(socket, (byte[])[.. s_greeting, ByteOf(encrypt), .. ours], stop).ConfigureAwait(false);
        var head = await ReceiveAsync(socket, s_greeting.Length + PurposeBytes + WishBytes + LengthBytes, stop).ConfigureAwait(false);
        Require(head.AsSpan(0, s_greeting.Length).SequenceEqual(s_greeting), "not a data link of this version");
        var purpose = (LinkPurpose)head[s_greeting.Length];
        Require(Enum.IsDefined(purpose), "a link for an unknown purpose");
        var wishes = new Wishes(Dialer: WishOf(head[s_greeting.Length + PurposeBytes]), Listener: encrypt);
        var length = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(s_greeting.Length + PurposeBytes + WishBytes));
        Require(length is > 0 and <= MaximumName, "a name of bad length");
        var rest = await ReceiveAsync(socket, length + ChallengeBytes + ProofBytes, stop).ConfigureAwait(false);
        var dialer = Encoding.UTF8.GetString(rest.AsSpan(0, length));
        var theirs = rest[length..(length + ChallengeBytes)];
        var credential = credentialOf(dialer);
        Require(credential is not null, "the dialer is no member that a key was agreed with");
        Require(
            CryptographicOperations.FixedTimeEquals(rest.AsSpan(length + ChallengeBytes), Proof("dialer", purpose, wishes, credential!, dialer, ownNode, ours, theirs)),
            "the dialer does not know the key");
        await SendAsync(socket, Proof("listener", purpose, wishes, credential!, dialer, ownNode, ours, theirs), stop).ConfigureAwait(false);
        return (dialer, purpose, wishes.Encrypted ? LinkCipher.Of(credential!, purpose, [.. ours, .. theirs], dials: false) : null);
    }

    private static byte[] Proof(
        string role, LinkPurpose purpose, Wishes wishes, LinkCredential credential, string dialer, string listener, byte[] listenerChallenge, byte[] dialerChallenge)
    {
        var text = Encoding.UTF8.GetBytes($"{role}\n{purpose}\n{ByteOf(wishes.Dialer)}{ByteOf(wishes.Listener)}\n{dialer}\n{listener}\n");
        return HMACSHA256.HashData(credential.Key, (byte[])[.. text, .. listenerChallenge, .. dialerChallenge]);
    }

    private static byte ByteOf(bool wish) => wish ? (byte)1 : (byte)0;

    private static bool WishOf(byte value)
    {
        Require(value <= 1, "a wish that is unknown");
        return value == 1;
    }

    private static void Require(bool condition, string problem)
    {
        if (!condition)
            throw new InvalidDataException(problem);
    }

    private static async Task<byte[]> ReceiveAsync(Socket socket, int bytes, CancellationToken stop)
    {
        var buffer = new byte[bytes];
        for (var have = 0; have < bytes;)
        {
            var got = await socket.ReceiveAsync(buffer.AsMemory(have), stop).ConfigureAwait(false);
            if (got == 0)
                throw new InvalidDataException("closed during the handshake");
            have += got;
        }

        return buffer;
    }

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await socket.SendAsync(bytes, stop).ConfigureAwait(false)..];
    }

    /// <summary>Who wants the link to be encrypted.</summary>
    private readonly record struct Wishes(bool Dialer, bool Listener)
    {
        public bool Encrypted => Dialer || Listener;
    }
}
