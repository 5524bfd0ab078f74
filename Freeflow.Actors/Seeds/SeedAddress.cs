using System.Net;
using System.Net.Sockets;
using Akka.Actor;

namespace Freeflow.Actors.Seeds;

/// <summary>How Akka calls the router at an address.</summary>
internal static class SeedAddress
{
    /// <param name="at">Where it is.</param>
    /// <param name="own">A router's of the same cluster.</param>
    public static Address Of(IPEndPoint at, Address own) =>
        new(own.Protocol, own.System, at.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{at.Address}]" : at.Address.ToString(), at.Port);

    /// <summary>The reverse, whatever the protocol is; null where that is no IP address with a port.</summary>
    public static IPEndPoint? EndPointOf(Address router) =>
        router is { Host: { } host, Port: { } port } && IPAddress.TryParse(host.Trim('[', ']'), out var address) ? new IPEndPoint(address, port) : null;
}
