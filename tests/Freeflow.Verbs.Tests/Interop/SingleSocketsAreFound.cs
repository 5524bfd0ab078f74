using System.Net;
using System.Net.Sockets;
using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Tests.Interop;

public sealed class SingleSocketsAreFound : IDisposable
{
    private const int SocketLevel = 1;
    private const int ReusePort = 15;

    private readonly SocketLookup _lookup = new();
    private readonly List<Socket> _sockets = [];

    public void Dispose()
    {
        foreach (var socket in _sockets)
            socket.Dispose();
        _lookup.Dispose();
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::")]
    public void WhileTheyListenAndNoLonger(string address)
    {
        var listener = Listen(address, 0);
        var (at, port, cookie) = (AddressOf(listener), PortOf(listener), CookieOf(listener));
        Assert.True(_lookup.IsListening(at, port, cookie));
        Assert.False(_lookup.IsListening(at, port, cookie + 1));
        listener.Dispose();
        Assert.False(_lookup.IsListening(at, port, cookie));
    }

    [Fact]
    public void AmongOthersAtTheSamePort()
    {
        var first = Listen("127.0.0.1", 0);
        var all = Enumerable.Range(0, 5).Select(_ => Listen("127.0.0.1", PortOf(first))).Prepend(first).ToArray();
        Assert.All(all, one => Assert.True(_lookup.IsListening(AddressOf(one), PortOf(one), CookieOf(one))));
        var cookie = CookieOf(all[3]);
        all[3].Dispose();
        Assert.False(_lookup.IsListening(AddressOf(first), PortOf(first), cookie));
    }

    [Fact]
    public void NoMoreAListenerAfterShutdown()
    {
        var listener = Listen("127.0.0.1", 0);
        listener.Shutdown(SocketShutdown.Both);
        Assert.False(_lookup.IsListening(AddressOf(listener), PortOf(listener), CookieOf(listener)));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::")]
    public void BeforeAndAfterAccept(string address)
    {
        var listener = Listen(address, 0);
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(client);
        client.Connect(new IPEndPoint(IPAddress.Loopback, PortOf(listener)));
        var loopback = Ipv4.From(IPAddress.Loopback)!.Value;
        var ends = new VirtualEnds(loopback, PortOf(listener), loopback, PortOf(client));
        // The last part of the handshake is the kernel's.
        WaitFor.That("the connection in its queue", () => _lookup.IsAccepted(ends) is not null);
        Assert.False(_lookup.IsAccepted(ends));
        var accepted = listener.Accept();
        Assert.True(_lookup.IsAccepted(ends));
        accepted.Dispose();
        Assert.True(_lookup.IsAccepted(ends));
        client.Dispose();
        Assert.NotEqual(false, _lookup.IsAccepted(ends));
        Assert.Null(_lookup.IsAccepted(ends with { PeerPort = (ushort)(ends.PeerPort ^ 1) }));
    }

    private Socket Listen(string address, int port)
    {
        var at = IPAddress.Parse(address);
        var listener = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (at.AddressFamily == AddressFamily.InterNetworkV6)
            listener.DualMode = true;
        listener.SetRawSocketOption(SocketLevel, ReusePort, [1, 0, 0, 0]);
        listener.Bind(new IPEndPoint(at, port));
        listener.Listen();
        _sockets.Add(listener);
        return listener;
    }

    private static Ipv4? AddressOf(Socket listener)
    {
        var address = ((IPEndPoint)listener.LocalEndPoint!).Address;
        return address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? null : Ipv4.From(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
    }

    private static ushort PortOf(Socket socket) => (ushort)((IPEndPoint)socket.LocalEndPoint!).Port;

    private static ulong CookieOf(Socket socket) => HostSocket.CookieOf((int)socket.Handle);
}
