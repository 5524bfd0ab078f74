using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Freeflow.Actors.ClusterTransport;

/// <summary>Where a router's certificates are.</summary>
/// <param name="Authorities">PEM, the CAs that are trusted; several while one takes another's place.</param>
/// <param name="Certificate">PEM, this host's own; intermediate ones may follow.</param>
/// <param name="Key">PEM, of the own certificate.</param>
public sealed record CertificateFiles(string Authorities, string Certificate, string Key)
{
    private const int MaximumBytes = 1 << 20;

    /// <summary>What is in the files, to see whether it has changed. Throws <see cref="InvalidDataException"/> with one line.</summary>
    internal string Contents() => string.Join('\0', new[] { Authorities, Certificate, Key }.Select(Text));

    /// <summary>Throws <see cref="InvalidDataException"/> with one line that says what is wrong.</summary>
    internal CertificateMaterial Load()
    {
        var authorities = CertificatesIn(Authorities);
        var own = CertificatesIn(Certificate);
        X509Certificate2 leaf;
        try
        {
            leaf = X509Certificate2.CreateFromPem(Text(Certificate), Text(Key));
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException($"{Key} is not the key of {Certificate}: {error.Message}");
        }

        var material = new CertificateMaterial(leaf, SslStreamCertificateContext.Create(leaf, [.. own.Skip(1)], offline: true), authorities);
        return CertificateJudge.WhyNot(leaf, own, authorities, DateTimeOffset.UtcNow, null, null, ignoresTime: true) is { } wrong
            ? throw new InvalidDataException($"{Certificate} {wrong}")
            : material;
    }

    private static X509Certificate2Collection CertificatesIn(string path)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(Text(path));
        }
        catch (CryptographicException error)
        {
            throw new InvalidDataException($"{path} has a certificate that is none: {error.Message}");
        }

        return found.Count > 0 ? found : throw new InvalidDataException($"{path} has no certificate");
    }

    private static string Text(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > MaximumBytes)
                throw new InvalidDataException($"{path} is larger than certificates are");
            using var reader = new StreamReader(file, Encoding.ASCII);
            return reader.ReadToEnd();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path} can't be read: {error.Message}");
        }
    }
}

/// <summary>What was in the files.</summary>
/// <param name="Own">This host's, with its key.</param>
/// <param name="Context">The same, as TLS wants it.</param>
/// <param name="Authorities">The CAs that are trusted.</param>
internal sealed record CertificateMaterial(X509Certificate2 Own, SslStreamCertificateContext Context, X509Certificate2Collection Authorities);
