using System.Net;
using System.Net.Sockets;

namespace Freeflow.Actors.Seeds;

/// <summary>Where a seed is said to be: an address, or a name that stands for any number of them, and a port.</summary>
/// <param name="Host">An IP address, without brackets, or a name.</param>
/// <param name="Port">Of the control plane.</param>
public sealed record SeedEntry(string Host, int Port)
{
    private const int LargestPort = 65535;

    /// <summary>What <see cref="Parse"/> takes, for messages.</summary>
    public const string Accepted = "address or address:port";

    /// <summary>"address", "address:port", a name in the address's place, and an IPv6 address with a port in brackets; null for anything else.</summary>
    public static SeedEntry? Parse(string text, int defaultPort)
    {
        if (IPEndPoint.TryParse(text, out var known) && known.AddressFamily == AddressFamily.InterNetworkV6)
            return new SeedEntry(known.Address.ToString(), known.Port == 0 ? defaultPort : known.Port);
        var parts = text.Split(':');
        var port = defaultPort;
        return parts.Length is 1 or 2 && parts[0].Length > 0 && Uri.CheckHostName(parts[0]) != UriHostNameType.Unknown
            && (parts.Length == 1 || (int.TryParse(parts[1], out port) && port is > 0 and <= LargestPort))
            ? new SeedEntry(parts[0], port)
            : null;
    }

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
