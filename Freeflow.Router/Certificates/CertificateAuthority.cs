using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Freeflow.Router.Certificates;

/// <summary>
/// A private CA in a directory, and what it issues: ECDSA P-256. A host's certificate is for both ends of a connection, since each
/// router calls and is called, and names the addresses that the host may use it at.
/// </summary>
public sealed class CertificateAuthority : IDisposable
{
    public const string CertificateFile = "ca.pem";
    public const string KeyFile = "ca-key.pem";

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const int SerialBytes = 16;

    /// <summary>How much a host's clock may be behind that of the machine on which the CA is.</summary>
    private static readonly TimeSpan s_skew = TimeSpan.FromHours(1);

    private readonly string _directory;
    private readonly X509Certificate2 _certificate;
    private readonly TimeProvider _time;

    private CertificateAuthority(string directory, X509Certificate2 certificate, TimeProvider time)
    {
        _directory = directory;
        _certificate = certificate;
        _time = time;
    }

    public void Dispose() => _certificate.Dispose();

    /// <summary>Makes a CA in a directory, which may not be there yet. Throws <see cref="CertificateException"/>.</summary>
    /// <returns>Where its certificate is.</returns>
    public static string Create(string directory, string name, int days, TimeProvider time)
    {
        MakeDirectory(directory);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName($"CN=\"{name.Replace("\"", "\"\"")}\""), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = time.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now - s_skew, EndOf(now, days));
        var path = Path.Combine(directory, CertificateFile);
        PemFiles.Write(path, certificate, Path.Combine(directory, KeyFile), key);
        return path;
    }

    /// <summary>Throws <see cref="CertificateException"/>.</summary>
    public static CertificateAuthority Open(string directory, TimeProvider time)
    {
        var (certificate, key) = (Path.Combine(directory, CertificateFile), Path.Combine(directory, KeyFile));
        foreach (var path in (string[])[certificate, key])
        {
            if (!File.Exists(path))
                throw new CertificateException($"{path} is not there: make the CA first, by freeflow ca init {directory}");
        }

        try
        {
            return new CertificateAuthority(directory, X509Certificate2.CreateFromPemFile(certificate, key), time);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new CertificateException($"{certificate} and {key} are no CA: {error.Message}");
        }
    }

    /// <summary>Issues a certificate. Throws <see cref="CertificateException"/>.</summary>
    /// <param name="name">The host's.</param>
    /// <param name="addresses">Where it is good; none: everywhere.</param>
    /// <param name="days">How long it is valid.</param>
    /// <param name="into">Where to put it; null: beside the CA.</param>
    /// <returns>Where the certificate and its key are.</returns>
    public (string Certificate, string Key) Issue(string name, IReadOnlyList<IPAddress> addresses, int days, string? into)
    {
        var (now, end) = (_time.GetUtcNow(), new DateTimeOffset(_certificate.NotAfter));
        var until = EndOf(now, days);
        if (until > end)
            throw new CertificateException($"--days {days} is longer than the CA itself is valid, until {end.UtcDateTime:yyyy-MM-dd}");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName($"CN={name}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication), new Oid(ClientAuthentication)], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        foreach (var address in addresses)
            names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        var start = new DateTimeOffset(_certificate.NotBefore);
        using var certificate = request.Create(_certificate, now - s_skew > start ? now - s_skew : start, until, Serial());
        var directory = into ?? _directory;
        var (certificatePath, keyPath) = (Path.Combine(directory, name + ".pem"), Path.Combine(directory, name + "-key.pem"));
        MakeDirectory(directory);
        PemFiles.Write(certificatePath, certificate, keyPath, key);
        return (certificatePath, keyPath);
    }

    private static DateTimeOffset EndOf(DateTimeOffset from, int days) => from.AddDays(days);

    /// <summary>Positive, as X.509 has it.</summary>
    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(SerialBytes);
        serial[0] = (byte)(serial[0] & 0x7f | 0x40);
        return serial;
    }

    private static void MakeDirectory(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CertificateException($"{directory} can't be made: {error.Message}");
        }
    }
}
