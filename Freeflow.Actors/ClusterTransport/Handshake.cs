using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Freeflow.Actors.ClusterTransport;

/// <summary>
/// Mutual TLS on a new connection: 1.3 and nothing less, both ends show a certificate, and each connection is judged anew (no session
/// is resumed). Throws <see cref="InvalidDataException"/> with the reason, SocketException, IOException or OperationCanceledException.
/// </summary>
internal static class Handshake
{
    private const byte TlsHandshakeRecord = 0x16;
    private const byte TlsMajorVersion = 3;

    /// <summary>Without certificates: what the other end must not do is to begin with TLS.</summary>
    public static bool LooksLikeTls(ReadOnlySpan<byte> begin) => begin is [TlsHandshakeRecord, TlsMajorVersion, <= 4, ..];

    public static async Task<Secured> AcceptAsync(Socket socket, IPAddress from, ClusterCertificates certificates, CancellationToken stop)
    {
        var first = new byte[1];
        var got = await socket.ReceiveAsync(first, SocketFlags.Peek, stop).ConfigureAwait(false);
        if (got == 0)
            throw new InvalidDataException("it has closed the connection before it has shown a certificate");
        if (first[0] != TlsHandshakeRecord)
            throw new InvalidDataException("it does not speak TLS: is freeflow.tls set there?");
        return await ShakeAsync(socket, from, certificates, CertificateJudge.ClientAuthentication, (stream, material, judge) => stream.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = material.Context,
                ClientCertificateRequired = true,
                EnabledSslProtocols = SslProtocols.Tls13,
                AllowTlsResume = false,
                AllowRenegotiation = false,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                RemoteCertificateValidationCallback = judge,
            },
            stop)).ConfigureAwait(false);
    }

    public static Task<Secured> DialAsync(Socket socket, IPAddress to, string host, ClusterCertificates certificates, CancellationToken stop) =>
        ShakeAsync(socket, to, certificates, CertificateJudge.ServerAuthentication, (stream, material, judge) => stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = host,
                ClientCertificateContext = material.Context,
                EnabledSslProtocols = SslProtocols.Tls13,
                AllowTlsResume = false,
                AllowRenegotiation = false,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                RemoteCertificateValidationCallback = judge,
            },
            stop));

    private static async Task<Secured> ShakeAsync(
        Socket socket, IPAddress peer, ClusterCertificates certificates, string purpose,
        Func<SslStream, CertificateMaterial, RemoteCertificateValidationCallback, Task> authenticate)
    {
        certificates.Refresh();
        string? wrong = null;
        X509Certificate2? shown = null;
        var between = new X509Certificate2Collection();
        bool Judge(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            if (certificate is null)
            {
                wrong = "it has shown no certificate";
                return false;
            }

            shown = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
            foreach (var more in chain?.ChainPolicy.ExtraStore ?? [])
                between.Add(X509CertificateLoader.LoadCertificate(more.RawDataMemory.Span));
            wrong = certificates.WhyNot(shown, between, purpose, peer) is { } reason ? "its certificate " + reason : null;
            return wrong is null;
        }

        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true), leaveInnerStreamOpen: false);
        try
        {
            await authenticate(stream, certificates.Material, Judge).ConfigureAwait(false);
            return new Secured(stream, shown!, between);
        }
        catch (Exception error) when (error is AuthenticationException or IOException)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw new InvalidDataException(wrong ?? Innermost(error));
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What TLS has to say is at the bottom.</summary>
    public static string Innermost(Exception error)
    {
        while (error.InnerException is { } cause)
            error = cause;
        return error.Message.ReplaceLineEndings(" ");
    }
}

/// <summary>A connection whose other end has shown a good certificate.</summary>
internal sealed record Secured(SslStream Stream, X509Certificate2 Peer, X509Certificate2Collection Between);
