using System.Net;

namespace Freeflow.Router.Control;

/// <summary>Who may join the cluster.</summary>
/// <param name="IsOpen">Whoever is in the right place, without showing anything.</param>
/// <param name="Words">For people.</param>
public sealed record ClusterTrust(bool IsOpen, string Words)
{
    /// <param name="hasCertificates">Whether freeflow.tls is set.</param>
    /// <param name="network">freeflow.host.prefix; null: it is not set.</param>
    public static ClusterTrust Of(bool hasCertificates, IPNetwork? network) => hasCertificates
        ? new ClusterTrust(false, "members show certificates")
        : new ClusterTrust(true, $"open to everybody {(network is { } known ? $"in {known}" : "who reaches its port")}, and not encrypted");
}
