using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Freeflow.Actors.ClusterTransport;
using Freeflow.Router.Certificates;
using Freeflow.Router.Commands;

namespace Freeflow.Router.Tests.Certificates;

public sealed class TheAuthorityIssues : IDisposable
{
    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("freeflow-ca");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void WhatARouterTakes()
    {
        Assert.Equal(0, Run("init", Authority));
        Assert.Equal(0, Run("issue", Authority, "h1", "--address", "192.168.50.1", "--address", "fd00::1", "--days", "30"));
        using var certificates = new ClusterCertificates(new CertificateFiles(At("ca.pem"), At("h1.pem"), At("h1-key.pem")), TimeProvider.System);
        Assert.StartsWith("CN=h1, ", certificates.Description);
        Assert.Equal(OwnersOnly, File.GetUnixFileMode(At("ca-key.pem")));
        Assert.Equal(OwnersOnly, File.GetUnixFileMode(At("h1-key.pem")));
        var reports = CertificateReport.Read(Authority, DateTimeOffset.UtcNow);
        var (ca, host) = (Assert.Single(reports, report => report.IsAuthority), Assert.Single(reports, report => !report.IsAuthority));
        Assert.Equal(ca.Subject, host.Issuer);
        Assert.Equal(["192.168.50.1", "fd00::1"], host.Addresses);
        Assert.Equal("valid", host.State);
        Assert.InRange(host.NotAfter - DateTime.UtcNow, TimeSpan.FromDays(29.9), TimeSpan.FromDays(30));
        Assert.Equal(64, host.Fingerprint.Length);
    }

    [Fact]
    public void NothingIsWrittenOver()
    {
        Assert.Equal(0, Run("init", Authority));
        Assert.Equal(0, Run("issue", Authority, "h1"));
        var before = Directory.GetFiles(Authority).ToDictionary(path => path, File.ReadAllText);
        Assert.Equal(1, Run("init", Authority));
        Assert.Equal(1, Run("issue", Authority, "h1"));
        Assert.Equal(1, Run("issue", Authority, "ca"));
        File.Delete(At("h1.pem"));
        Assert.Equal(1, Run("issue", Authority, "h1"));
        before.Remove(At("h1.pem"));
        Assert.Equal(before, Directory.GetFiles(Authority).ToDictionary(path => path, File.ReadAllText));
        Assert.Equal(0, Run("issue", Authority, "h1", "--out", At("renewed")));
        Assert.NotEqual(before[At("h1-key.pem")], File.ReadAllText(Path.Combine(At("renewed"), "h1-key.pem")));
    }

    [Fact]
    public void WhatItCantDoItSays()
    {
        Assert.Contains("make the CA first", Assert.Throws<CertificateException>(() => CertificateAuthority.Open(Authority, TimeProvider.System)).Message);
        CertificateAuthority.Create(Authority, "short", 10, TimeProvider.System);
        using (var authority = CertificateAuthority.Open(Authority, TimeProvider.System))
            Assert.Contains("longer than the CA itself", Assert.Throws<CertificateException>(() => authority.Issue("h1", [], 11, null)).Message);
        using (var another = ECDsa.Create(ECCurve.NamedCurves.nistP256))
            File.WriteAllText(At("ca-key.pem"), another.ExportPkcs8PrivateKeyPem());
        Assert.Contains("are no CA", Assert.Throws<CertificateException>(() => CertificateAuthority.Open(Authority, TimeProvider.System)).Message);
        Assert.Contains("no certificate in", Assert.Throws<CertificateException>(() => CertificateReport.Read(At("ca-key.pem"), DateTimeOffset.UtcNow)).Message);
        Assert.Equal(1, Run("show", At("nothing")));
        Assert.Equal(1, Run("init", Path.Combine(At("ca.pem"), "below a file")));
    }

    [Theory]
    [InlineData("issue", "DIR", "../h1")]
    [InlineData("issue", "DIR", ".h1")]
    [InlineData("issue", "DIR", "h1,CN=h2")]
    [InlineData("issue", "DIR", "h1", "--address", "everywhere")]
    [InlineData("issue", "DIR", "h1", "--days", "0")]
    [InlineData("issue", "DIR", "h1", "--days", "many")]
    [InlineData("init", "DIR", "--days", "-1")]
    [InlineData("init", "DIR", "--name", "")]
    public void WhatMakesNoSenseIsRefused(params string[] words) =>
        Assert.NotEmpty(FreeflowCommand.Create().Parse(["ca", .. words.Select(word => word == "DIR" ? Authority : word)]).Errors);

    [Fact]
    public void OpensslAgrees()
    {
        Assert.Equal(0, Run("init", Authority));
        Assert.Equal(0, Run("issue", Authority, "h1", "--address", IPAddress.Loopback.ToString()));
        var start = new System.Diagnostics.ProcessStartInfo("openssl", ["verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", "127.0.0.1", "-CAfile", At("ca.pem"), At("h1.pem")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var openssl = System.Diagnostics.Process.Start(start)!;
        var said = openssl.StandardOutput.ReadToEnd() + openssl.StandardError.ReadToEnd();
        openssl.WaitForExit();
        Assert.True(openssl.ExitCode == 0, said);
    }

    [Fact]
    public void ReportsSayWhatTheClockSays()
    {
        CertificateAuthority.Create(Authority, "one", 10, TimeProvider.System);
        var now = DateTimeOffset.UtcNow;
        Assert.Equal("not yet valid", Assert.Single(CertificateReport.Read(Authority, now.AddDays(-1))).State);
        Assert.Equal("expired", Assert.Single(CertificateReport.Read(Authority, now.AddDays(11))).State);
        Assert.Contains("\"IsAuthority\":true", JsonSerializer.Serialize(CertificateReport.Read(Authority, now)));
    }

    private string Authority => Path.Combine(_directory.FullName, "authority");

    private string At(string file) => Path.Combine(Authority, file);

    private static int Run(params string[] words) => FreeflowCommand.Create().Parse(["ca", .. words]).Invoke();
}
