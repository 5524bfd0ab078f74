using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Freeflow.Actors.ClusterTransport;

/// <summary>Whether a certificate is good enough for a member of the cluster.</summary>
internal static class CertificateJudge
{
    /// <summary>What a certificate must be for when it is shown by the end that was called, and by the one that calls.</summary>
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private const int LongestName = 120;

    /// <summary>Null when it is; else what is wrong with it, to follow the word "certificate".</summary>
    /// <param name="certificate">What was shown.</param>
    /// <param name="intermediates">What may lie between it and a CA.</param>
    /// <param name="authorities">The CAs.</param>
    /// <param name="now">The time.</param>
    /// <param name="purpose">What it has to be for; null: whatever.</param>
    /// <param name="at">The address of whoever has shown it; null: whichever.</param>
    /// <param name="ignoresTime">Whether it may have expired.</param>
    public static string? WhyNot(
        X509Certificate2 certificate, X509Certificate2Collection intermediates, X509Certificate2Collection authorities,
        DateTimeOffset now, string? purpose, IPAddress? at, bool ignoresTime)
    {
        try
        {
            if (!ignoresTime && now < certificate.NotBefore)
                return $"({NameOf(certificate)}) is not valid before {certificate.NotBefore.ToUniversalTime():u}";
            if (!ignoresTime && now > certificate.NotAfter)
                return $"({NameOf(certificate)}) has expired on {certificate.NotAfter.ToUniversalTime():u}";
            return WhyNotOfThem(certificate, intermediates, authorities, now, ignoresTime)
                ?? WhyNotFor(certificate, purpose)
                ?? WhyNotAt(certificate, at);
        }
        catch (CryptographicException error)
        {
            return $"is malformed: {error.Message}";
        }
    }

    /// <summary>The subject, as far as it can be shown: it comes from strangers.</summary>
    public static string NameOf(X509Certificate2 certificate) => Shown(certificate.Subject);

    private static string Shown(string name) => string.Concat(name.Take(LongestName).Select(letter => letter is >= ' ' and <= '~' ? letter : '?'));

    private static string? WhyNotOfThem(
        X509Certificate2 certificate, X509Certificate2Collection intermediates, X509Certificate2Collection authorities, DateTimeOffset now, bool ignoresTime)
    {
        using var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(authorities);
        policy.ExtraStore.AddRange(intermediates);
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.VerificationTime = now.LocalDateTime;
        policy.VerificationTimeIgnored = false;
        if (ignoresTime)
            policy.VerificationFlags |= X509VerificationFlags.IgnoreNotTimeValid;
        if (chain.Build(certificate))
            return null;
        var flags = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);
        var isStranger = (flags & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0;
        return isStranger
            ? $"({NameOf(certificate)}) is by {Shown(certificate.Issuer)}, which is no CA of freeflow.tls.ca"
            : $"({NameOf(certificate)}) is not good: {flags}";
    }

    private static string? WhyNotFor(X509Certificate2 certificate, string? purpose)
    {
        if (purpose is null || certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(uses => uses.EnhancedKeyUsages.Cast<Oid>().Any(use => use.Value == purpose)))
            return null;
        return $"({NameOf(certificate)}) is not for {(purpose == ServerAuthentication ? "servers (serverAuth)" : "clients (clientAuth)")}";
    }

    private static string? WhyNotAt(X509Certificate2 certificate, IPAddress? at)
    {
        var addresses = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateIPAddresses()).ToList();
        return at is null || addresses.Count == 0 || addresses.Contains(at)
            ? null
            : $"({NameOf(certificate)}) is for {string.Join(", ", addresses.Take(8))} and not for {at}";
    }
}
