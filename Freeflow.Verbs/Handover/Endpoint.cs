using System.ComponentModel;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>One of the two sockets at which this router accepts other hosts' accelerated connections.</summary>
internal sealed class Endpoint : IDisposable
{
    private const int Backlog = 4096;

    public Endpoint(bool isIpv6, Ipv4 address, int port)
    {
        IsIpv6 = isIpv6;
        Socket = HostSocket.Listen(isIpv6, address, port, Backlog);
        if (Socket < 0)
            throw new Win32Exception(-Socket, $"listening for TCP mode at {address}:{port}: {new Win32Exception(-Socket).Message}");
    }

    public bool IsIpv6 { get; }

    public int Socket { get; }

    public void Dispose() => HostSocket.Close(Socket);
}
