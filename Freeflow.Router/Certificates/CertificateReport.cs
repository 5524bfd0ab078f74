using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Freeflow.Router.Certificates;

/// <summary>What a certificate says.</summary>
/// <param name="File">Where it is.</param>
/// <param name="Subject">Whose it is.</param>
/// <param name="Issuer">By whom.</param>
/// <param name="IsAuthority">Whether it is a CA's.</param>
/// <param name="Addresses">Where it is good; empty: everywhere.</param>
/// <param name="NotBefore">From when on, UTC.</param>
/// <param name="NotAfter">Until when, UTC.</param>
/// <param name="State">`valid`, `expired` or `not yet valid`.</param>
/// <param name="Serial">Hexadecimal.</param>
/// <param name="Fingerprint">SHA-256 of it, hexadecimal.</param>
public sealed record CertificateReport(
    string File, string Subject, string Issuer, bool IsAuthority, IReadOnlyList<string> Addresses,
    DateTime NotBefore, DateTime NotAfter, string State, string Serial, string Fingerprint)
{
    public static CertificateReport Of(string file, X509Certificate2 certificate, DateTimeOffset now)
    {
        var (from, to) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        return new CertificateReport(
            file,
            certificate.Subject,
            certificate.Issuer,
            certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(extension => extension.CertificateAuthority),
            [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(extension => extension.EnumerateIPAddresses()).Select(address => address.ToString())],
            from,
            to,
            now.UtcDateTime < from ? "not yet valid" : now.UtcDateTime > to ? "expired" : "valid",
            certificate.SerialNumber,
            certificate.GetCertHashString(HashAlgorithmName.SHA256));
    }

    /// <summary>All certificates in a file, or in the *.pem of a directory. Throws <see cref="CertificateException"/>.</summary>
    public static IReadOnlyList<CertificateReport> Read(string path, DateTimeOffset now)
    {
        var isDirectory = Directory.Exists(path);
        var reports = new List<CertificateReport>();
        foreach (var file in isDirectory ? Directory.GetFiles(path, "*.pem").Order(StringComparer.Ordinal) : (IEnumerable<string>)[path])
        {
            try
            {
                var certificates = new X509Certificate2Collection();
                certificates.ImportFromPemFile(file);
                reports.AddRange(certificates.Select(certificate => Of(file, certificate, now)));
            }
            catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
            {
                throw new CertificateException($"{file} can't be read: {error.Message}");
            }
        }

        return reports.Count > 0 ? reports : throw new CertificateException($"there is no certificate in {path}");
    }
}
