using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Freeflow.Router.Certificates;

/// <summary>Certificates and keys in files. What is there already is never written over: it may be the only copy of a key.</summary>
internal static class PemFiles
{
    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode ForAll = OwnersOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>The key first: a certificate without its key is of no use. Throws <see cref="CertificateException"/>, having left nothing.</summary>
    public static void Write(string certificatePath, X509Certificate2 certificate, string keyPath, ECDsa key)
    {
        foreach (var path in (string[])[certificatePath, keyPath])
        {
            if (File.Exists(path))
                throw new CertificateException($"{path} is there already, and is not written over; remove it, or choose another place");
        }

        WriteNew(keyPath, key.ExportPkcs8PrivateKeyPem(), OwnersOnly);
        try
        {
            WriteNew(certificatePath, certificate.ExportCertificatePem(), ForAll);
        }
        catch (CertificateException)
        {
            File.Delete(keyPath);
            throw;
        }
    }

    private static void WriteNew(string path, string pem, UnixFileMode mode)
    {
        try
        {
            using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode });
            using var text = new StreamWriter(file);
            text.Write(pem + "\n");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CertificateException($"{path} can't be written: {error.Message}");
        }
    }
}
