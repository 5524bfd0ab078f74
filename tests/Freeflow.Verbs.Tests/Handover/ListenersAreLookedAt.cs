using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>What a process shows as its listener is what the kernel says that it is.</summary>
[Trait("Tier", "Loop")]
public sealed class ListenersAreLookedAt : IDisposable
{
    private readonly NetworkNamespace _own = NetworkNamespace.Own();
    private readonly List<IDisposable> _open = [];

    public void Dispose()
    {
        _open.ForEach(opened => opened.Dispose());
        _own.Dispose();
    }

    [Fact]
    public void AtEveryAddress()
    {
        var listener = Listening("0.0.0.0");
        Assert.Equal(new ListeningSocket(null, PortOf(listener), false, CookieOf(listener)), Inspect(listener.SafeHandle, out _));
    }

    [Fact]
    public void AtEveryAddressOfBothFamilies()
    {
        var listener = Listening("::", socket => socket.DualMode = true);
        Assert.Equal(new ListeningSocket(null, PortOf(listener), true, CookieOf(listener)), Inspect(listener.SafeHandle, out _));
    }

    [SkippableFact]
    public void AtAnAddress()
    {
        var address = OtherAddress();
        Skip.If(address is null, "this machine has no address but the loopback's");
        var listener = Listening(address.ToString());
        Assert.Equal(new ListeningSocket(Ipv4.From(address), PortOf(listener), false, CookieOf(listener)), Inspect(listener.SafeHandle, out _));
        var mapped = Listening($"::ffff:{address}", socket => socket.DualMode = true);
        Assert.Equal(new ListeningSocket(Ipv4.From(address), PortOf(mapped), true, CookieOf(mapped)), Inspect(mapped.SafeHandle, out _));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.1.2.3")]
    [InlineData("::ffff:127.0.0.1")]
    public void AtTheLoopbackNobodyElseReachesIt(string address) => Refused(Listening(address, Dual).SafeHandle, "loopback");

    [Theory]
    [InlineData("::")]
    [InlineData("::1")]
    public void OnlyIpv6IsNotCarried(string address) => Refused(Listening(address, socket => socket.DualMode = false).SafeHandle, "no IPv4");

    [Fact]
    public void BoundToADevice() => Refused(Listening("0.0.0.0", socket => socket.SetRawSocketOption(1, 25, "lo\0"u8)).SafeHandle, "device");

    [Fact]
    public void ASocketThatDoesNotListen()
    {
        var socket = Open(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Refused(socket.SafeHandle, "no listening TCP socket");
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        Refused(socket.SafeHandle, "no listening TCP socket");
    }

    [Fact]
    public void ASocketThatIsConnected()
    {
        var listener = Listening("127.0.0.1");
        var client = Open(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint!);
        Refused(client.SafeHandle, "no listening TCP socket");
    }

    [Fact]
    public void AUdpSocket()
    {
        var socket = Open(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        Refused(socket.SafeHandle, "no listening TCP socket");
    }

    [Fact]
    public void AUnixSocket()
    {
        var path = Path.Combine(Path.GetTempPath(), $"freeflow-listener-{Environment.ProcessId}");
        var socket = Open(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        File.Delete(path);
        socket.Listen();
        Refused(socket.SafeHandle, "no listening TCP socket");
    }

    [Fact]
    public void WhatIsNoSocket()
    {
        using var file = File.OpenHandle("/proc/self/status");
        Refused(file, "no socket");
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream();
        Refused(pipe.SafePipeHandle, "no socket");
        using var wake = EventFd.Create();
        Refused(wake.Handle, "no socket");
    }

    [Fact]
    public void OneOfAnotherContainer()
    {
        var listener = Listening("0.0.0.0");
        Assert.Null(ListeningSocket.Inspect(listener.SafeHandle, new NetworkNamespaceId(_own.Id.Device, _own.Id.Inode + 1), out var reason));
        Assert.Contains("another network namespace", reason);
    }

    private static IPAddress? OtherAddress() => System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(@interface => @interface.GetIPProperties().UnicastAddresses)
        .Select(unicast => unicast.Address)
        .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));

    private static void Dual(Socket socket)
    {
        if (socket.AddressFamily == AddressFamily.InterNetworkV6)
            socket.DualMode = true;
    }

    private static ulong CookieOf(Socket socket) => HostSocket.CookieOf((int)socket.Handle);

    private static ushort PortOf(Socket socket) => (ushort)((IPEndPoint)socket.LocalEndPoint!).Port;

    private void Refused(SafeHandle socket, string why)
    {
        Assert.Null(Inspect(socket, out var reason));
        Assert.Contains(why, reason);
    }

    private ListeningSocket? Inspect(SafeHandle socket, out string reason) => ListeningSocket.Inspect(socket, _own.Id, out reason);

    private Socket Listening(string address, Action<Socket>? before = null)
    {
        var at = IPAddress.Parse(address);
        var socket = Open(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        before?.Invoke(socket);
        socket.Bind(new IPEndPoint(at, 0));
        socket.Listen();
        return socket;
    }

    private Socket Open(AddressFamily family, SocketType type, ProtocolType protocol)
    {
        var socket = new Socket(family, type, protocol);
        _open.Add(socket);
        return socket;
    }
}
