using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Freeflow.Actors.Tests.ClusterTransport;

/// <summary>A CA that issues whatever it is asked for, things among it that the command never would.</summary>
public sealed class TestAuthority
{
    public const string Server = "1.3.6.1.5.5.7.3.1";
    public const string Client = "1.3.6.1.5.5.7.3.2";

    private readonly string _directory;
    private readonly X509Certificate2 _certificate;

    public TestAuthority(string directory, string name)
    {
        _directory = directory;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-5), DateTimeOffset.UtcNow.AddYears(5));
        File = Path.Combine(directory, name + ".pem");
        System.IO.File.WriteAllText(File, _certificate.ExportCertificatePem() + "\n");
    }

    /// <summary>Its certificate.</summary>
    public string File { get; }

    /// <param name="name">Whose.</param>
    /// <param name="from">Days from now.</param>
    /// <param name="to">Days from now.</param>
    /// <param name="addresses">Where it is good.</param>
    /// <param name="uses">What it is for; null: for both ends.</param>
    public (string Certificate, string Key) Issue(string name, double from = -1, double to = 30, string[]? addresses = null, string[]? uses = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. (uses ?? [Server, Client]).Select(use => new Oid(use))], false));
        if (addresses is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            foreach (var address in addresses)
                names.AddIpAddress(IPAddress.Parse(address));
            request.CertificateExtensions.Add(names.Build());
        }

        var now = DateTimeOffset.UtcNow;
        using var certificate = request.Create(_certificate, now.AddDays(from), now.AddDays(to), RandomNumberGenerator.GetBytes(12));
        var stem = Path.Combine(_directory, Guid.NewGuid().ToString("N"));
        System.IO.File.WriteAllText(stem + ".pem", certificate.ExportCertificatePem());
        System.IO.File.WriteAllText(stem + "-key.pem", key.ExportPkcs8PrivateKeyPem());
        return (stem + ".pem", stem + "-key.pem");
    }
}
