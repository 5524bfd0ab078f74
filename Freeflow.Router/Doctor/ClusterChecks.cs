using System.Net;
using Freeflow.Actors.ClusterTransport;
using Freeflow.Router.Control;

namespace Freeflow.Router.Doctor;

/// <summary>Who can join the cluster.</summary>
public static class ClusterChecks
{
    private const UnixFileMode ForOthers = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
    private const int FewDays = 14;

    /// <param name="files">The settings of freeflow.tls; null: none.</param>
    /// <param name="network">freeflow.host.prefix.</param>
    /// <param name="time">The clock.</param>
    public static IEnumerable<Finding> Of(CertificateFiles? files, IPNetwork? network, TimeProvider time)
    {
        if (files is null)
        {
            yield return Finding.Warn(
                "cluster", ClusterTrust.Of(hasCertificates: false, network).Words, "make certificates with freeflow ca, and set freeflow.tls");
            yield break;
        }

        yield return Certificate(files, time);
        if (File.Exists(files.Key) && File.GetUnixFileMode(files.Key) is var mode && (mode & ForOthers) != 0)
            yield return Finding.Fail("certificate's key", $"{files.Key} is open to others ({Convert.ToString((int)mode, 8)})", $"chmod 600 {files.Key}, and issue another: who has read it can join");
    }

    private static Finding Certificate(CertificateFiles files, TimeProvider time)
    {
        try
        {
            using var certificates = new ClusterCertificates(files, time);
            var (now, begins, ends) = (time.GetUtcNow().UtcDateTime, certificates.BeginsAt, certificates.EndsAt);
            const string another = "put another in its place (freeflow ca issue); the router need not be started again";
            return now < begins ? Finding.Fail("certificate", $"not valid before {begins:u}", "is this host's clock right?")
                : now > ends ? Finding.Fail("certificate", $"expired on {ends:u}", another)
                : ends - now < TimeSpan.FromDays(FewDays) ? Finding.Warn("certificate", certificates.Description, another)
                : Finding.Ok("certificate", certificates.Description);
        }
        catch (InvalidDataException problem)
        {
            return Finding.Fail("certificate", problem.Message, "freeflow ca show tells what a file has");
        }
    }
}
