using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Freeflow.Verbs.Links;

/// <summary>
/// Both ends of a new link prove that they know the pair's key, before a frame is sent. The listener sends a
/// challenge; the dialer answers with its purpose, its name, a challenge of its own and a proof; the listener answers with its proof.
/// A proof is HMAC-SHA256 over the role, the purpose, both names and both challenges.
/// </summary>
internal static class LinkHandshake
{
    public const int ChallengeBytes = 32;
    private const int ProofBytes = 32;
    private const int PurposeBytes = 1;
    private const int MaximumName = 256;

    // "FFLK", then the version of the frames that follow.
    private static readonly byte[] s_greeting = [0x46, 0x46, 0x4c, 0x4b, 3, 0, 0, 0];

    public static async Task DialAsync(Socket socket, string ownNode, string peerNode, LinkPurpose purpose, LinkCredential credential, CancellationToken stop)
    {
        var opening = await ReceiveAsync(socket, s_greeting.Length + ChallengeBytes, stop).ConfigureAwait(false);
        Require(opening.AsSpan(0, s_greeting.Length).SequenceEqual(s_greeting), "the listener speaks another protocol or version");
        var theirs = opening[s_greeting.Length..];
        var ours = RandomNumberGenerator.GetBytes(ChallengeBytes);
        var name = Encoding.UTF8.GetBytes(ownNode);
        var hello = new byte[s_greeting.Length + PurposeBytes + 4 + name.Length + ChallengeBytes + ProofBytes];
        s_greeting.CopyTo(hello, 0);
        hello[s_greeting.Length] = (byte)purpose;
        BinaryPrimitives.WriteInt32LittleEndian(hello.AsSpan(s_greeting.Length + PurposeBytes), name.Length);
        name.CopyTo(hello, s_greeting.Length + PurposeBytes + 4);
        ours.CopyTo(hello, s_greeting.Length + PurposeBytes + 4 + name.Length);
        Proof("dialer", purpose, credential, ownNode, peerNode, theirs, ours).CopyTo(hello, hello.Length - ProofBytes);
        await SendAsync(socket, hello, stop).ConfigureAwait(false);
        var proof = await ReceiveAsync(socket, ProofBytes, stop).ConfigureAwait(false);
        Require(
            CryptographicOperations.FixedTimeEquals(proof, Proof("listener", purpose, credential, ownNode, peerNode, theirs, ours)),
            "the listener does not know the key");
    }

    /// <summary>Returns the dialer's name and what the link is for.</summary>
    public static async Task<(string Dialer, LinkPurpose Purpose)> AcceptAsync(Socket socket, string ownNode, Func<string, LinkCredential?> credentialOf, CancellationToken stop)
    {
        var ours = RandomNumberGenerator.GetBytes(ChallengeBytes);
        await SendAsync(socket, (byte[])[.. s_greeting, .. ours], stop).ConfigureAwait(false);
        var head = await ReceiveAsync(socket, s_greeting.Length + PurposeBytes + 4, stop).ConfigureAwait(false);
        Require(head.AsSpan(0, s_greeting.Length).SequenceEqual(s_greeting), "not a data link of this version");
        var purpose = (LinkPurpose)head[s_greeting.Length];
        Require(Enum.IsDefined(purpose), "a link for an unknown purpose");
        var length = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(s_greeting.Length + PurposeBytes));
        Require(length is > 0 and <= MaximumName, "a name of bad length");
        var rest = await ReceiveAsync(socket, length + ChallengeBytes + ProofBytes, stop).ConfigureAwait(false);
        var dialer = Encoding.UTF8.GetString(rest.AsSpan(0, length));
        var theirs = rest[length..(length + ChallengeBytes)];
        var credential = credentialOf(dialer);
        Require(credential is not null, "the dialer is no member that a key was agreed with");
        Require(
            CryptographicOperations.FixedTimeEquals(rest.AsSpan(length + ChallengeBytes), Proof("dialer", purpose, credential!, dialer, ownNode, ours, theirs)),
            "the dialer does not know the key");
        await SendAsync(socket, Proof("listener", purpose, credential!, dialer, ownNode, ours, theirs), stop).ConfigureAwait(false);
        return (dialer, purpose);
    }

    private static byte[] Proof(string role, LinkPurpose purpose, LinkCredential credential, string dialer, string listener, byte[] listenerChallenge, byte[] dialerChallenge)
    {
        var text = Encoding.UTF8.GetBytes($"{role}\n{purpose}\n{dialer}\n{listener}\n");
        return HMACSHA256.HashData(credential.Key, (byte[])[.. text, .. listenerChallenge, .. dialerChallenge]);
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
}
