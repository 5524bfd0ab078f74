using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Freeflow.Router.Doctor;

/// <summary>The host's address, the router's ports and its congestion control.</summary>
public static class NetworkChecks
{
    public static Finding Address(IPAddress host)
    {
        var isHere = NetworkInterface.GetAllNetworkInterfaces().SelectMany(nic => nic.GetIPProperties().UnicastAddresses).Any(entry => entry.Address.Equals(host));
        return !isHere ? Finding.Fail("host address", $"{host} is on no interface", "set HOST_IP or HOST_IP_PREFIX to an address of this host's")
            : host.AddressFamily == AddressFamily.InterNetworkV6 ? Finding.Warn("host address", $"{host}", "TCP mode goes over IPv4: with this address there is RDMA only")
            : Finding.Ok("host address", $"{host}");
    }

    /// <param name="name">What it is for.</param>
    /// <param name="at">Where.</param>
    /// <param name="routerRuns">Whether a router of this name answers: then it is the one that has the port.</param>
    public static Finding Port(string name, IPEndPoint at, bool routerRuns)
    {
        // Not by listening there: who has set SO_REUSEPORT, as the runtime does, lets others in.
        if (IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener => listener.Port == at.Port && Covers(listener.Address, at.Address)))
        {
            return routerRuns
                ? Finding.Ok(name, $"{at} is the router's")
                : Finding.Fail(name, $"{at} is taken by another program", $"see who has it (ss -ltnp sport = :{at.Port}), or choose another port");
        }

        if (routerRuns)
            return Finding.Fail(name, $"{at} is free though a router runs", "it has other settings than these, or another address");
        using var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(at);
            return Finding.Ok(name, $"{at} is free");
        }
        catch (SocketException problem)
        {
            return Finding.Fail(name, $"{at}: {problem.Message}", "choose an address and a port that a program may listen on");
        }
    }

    private static bool Covers(IPAddress listening, IPAddress wanted) =>
        listening.Equals(wanted) || listening.Equals(IPAddress.IPv6Any) || (listening.Equals(IPAddress.Any) && wanted.AddressFamily == AddressFamily.InterNetwork)
        || (listening.IsIPv4MappedToIPv6 && listening.MapToIPv4().Equals(wanted));

    /// <param name="name">What the port is for.</param>
    /// <param name="port">The port.</param>
    /// <param name="range">/proc/sys/net/ipv4/ip_local_port_range.</param>
    /// <param name="reserved">/proc/sys/net/ipv4/ip_local_reserved_ports.</param>
    public static Finding? InLocalRange(string name, int port, string range, string reserved)
    {
        var ends = range.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (ends.Length != 2 || !int.TryParse(ends[0], out var first) || !int.TryParse(ends[1], out var last) || port < first || port > last || IsReserved(port, reserved))
            return null;
        return Finding.Warn(
            name, $"{port} is among the ports of outgoing connections", $"sysctl net.ipv4.ip_local_reserved_ports={port}: one of them may have it when the router starts");
    }

    /// <param name="wanted">"": the system's.</param>
    /// <param name="available">/proc/sys/net/ipv4/tcp_available_congestion_control.</param>
    public static Finding CongestionControl(string wanted, string available)
    {
        var known = available.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return wanted.Length == 0 ? Finding.Ok("congestion control", "the system's")
            : known.Contains(wanted) ? Finding.Ok("congestion control", wanted)
            : Finding.Fail("congestion control", $"{wanted} is not there, but {string.Join(", ", known)}", $"modprobe tcp_{wanted}, or set link.congestion-control");
    }

    private static bool IsReserved(int port, string reserved)
    {
        foreach (var part in reserved.Trim().Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = part.Split('-');
            if (int.TryParse(ends[0], out var first) && int.TryParse(ends[^1], out var last) && port >= first && port <= last)
                return true;
        }

        return false;
    }
}
