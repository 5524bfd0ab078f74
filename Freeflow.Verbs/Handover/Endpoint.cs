using System.ComponentModel;
using System.Globalization;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// One of the two sockets at which this router accepts other hosts' accelerated connections. Connections that an earlier router
/// accepted there are containers', which may keep the port from being bound again, for as long as they like (SO_REUSEADDR off); then
/// any other port will do, since the peers are told it.
/// </summary>
internal sealed class Endpoint : IDisposable
{
    private const int Backlog = 4096;
    private const string Listening = "0A"; // TCP_LISTEN, of include/net/tcp_states.h

    /// <summary>Throws Win32Exception, with EADDRINUSE where a program listens there.</summary>
    public Endpoint(bool isIpv6, Ipv4 address, int port)
    {
        (IsIpv6, Wanted) = (isIpv6, port);
        Socket = HostSocket.Listen(isIpv6, address, port, Backlog);
        if (Socket == -Errno.EADDRINUSE && !IsListenedAt(address, port))
            Socket = HostSocket.Listen(isIpv6, address, 0, Backlog);
        if (Socket < 0)
            throw new Win32Exception(-Socket, $"listening for TCP mode at {address}:{port}: {new Win32Exception(-Socket).Message}");
        Port = HostSocket.PortOf(Socket);
    }

    public bool IsIpv6 { get; }

    public int Socket { get; }

    /// <summary>As configured.</summary>
    public int Wanted { get; }

    public int Port { get; }

    public void Dispose() => HostSocket.Close(Socket);

    private static bool IsListenedAt(Ipv4 address, int port)
    {
        // The bytes as they lie in memory, read as a word; an IPv6 address ends with those of the IPv4 address that it stands for.
        var end = $":{port.ToString("X4", CultureInfo.InvariantCulture)}";
        string[] ends = [$"{address.Network.ToString("X8", CultureInfo.InvariantCulture)}{end}", $"00000000{end}"];
        return new[] { "/proc/self/net/tcp", "/proc/self/net/tcp6" }
            .Where(File.Exists)
            .SelectMany(File.ReadLines)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Any(words => words.Length > 3 && ends.Any(local => words[1].EndsWith(local, StringComparison.Ordinal)) && words[3] == Listening);
    }
}
