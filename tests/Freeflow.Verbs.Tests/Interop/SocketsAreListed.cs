using System.Net;
using System.Net.Sockets;
using Freeflow.Lab;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Tests.Interop;

public sealed class SocketsAreListed : IDisposable
{
    private readonly Socket _listener = Listen(IPAddress.Loopback);
    private readonly Socket _client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public SocketsAreListed() => _client.Connect(_listener.LocalEndPoint!);

    public void Dispose()
    {
        _client.Dispose();
        _listener.Dispose();
    }

    [Fact]
    public void WithBothEndsWhereTheyAreConnected()
    {
        var (ours, theirs) = ((IPEndPoint)_client.LocalEndPoint!, (IPEndPoint)_client.RemoteEndPoint!);
        var expected = new HostConnection(
            Ipv4.From(ours.Address)!.Value, (ushort)ours.Port, Ipv4.From(theirs.Address)!.Value, (ushort)theirs.Port, CookieOf(_client));
        Assert.Contains(expected, SocketDiagnostics.Connections());
    }

    [Fact]
    public void WithoutAPeerWhereTheyListen()
    {
        var at = (IPEndPoint)_listener.LocalEndPoint!;
        Assert.Contains(new HostConnection(Ipv4.From(at.Address)!.Value, (ushort)at.Port, default, 0, CookieOf(_listener)), SocketDiagnostics.Connections());
    }

    [Fact]
    public void OfBothFamiliesByTheirIpv4Addresses()
    {
        using var listener = Listen(IPAddress.Loopback.MapToIPv6());
        using var client = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        client.Connect(listener.LocalEndPoint!);
        var (ours, theirs) = ((IPEndPoint)client.LocalEndPoint!, (IPEndPoint)client.RemoteEndPoint!);
        var loopback = Ipv4.From(IPAddress.Loopback)!.Value;
        Assert.Contains(new HostConnection(loopback, (ushort)ours.Port, loopback, (ushort)theirs.Port, CookieOf(client)), SocketDiagnostics.Connections());
    }

    [Fact]
    public void WithWhatTheyHaveCarriedWhereThatIsAskedFor()
    {
        const int sent = 10_000;
        using var accepted = _listener.Accept();
        var bytes = new byte[sent];
        Assert.Equal(sent, _client.Send(bytes));
        for (var got = 0; got < sent;)
            got += accepted.Receive(bytes);
        // Acknowledgements may take a moment.
        WaitFor.That("sent bytes", TimeSpan.FromSeconds(30), () => Of(_client, SocketDiagnostics.Connections(withBytes: true)).BytesSent >= sent);
        Assert.Equal((ulong)sent, Of(accepted, SocketDiagnostics.Connections(withBytes: true)).BytesReceived);
        Assert.Equal((0ul, 0ul), (Of(_client, SocketDiagnostics.Connections()).BytesSent, Of(accepted, SocketDiagnostics.Connections()).BytesReceived));
    }

    [Fact]
    public void UntilTheyAreClosed()
    {
        var port = ((IPEndPoint)_client.LocalEndPoint!).Port;
        _client.LingerState = new LingerOption(true, 0);
        _client.Dispose();
        Assert.DoesNotContain(SocketDiagnostics.Connections(), connection => connection.LocalPort == port && connection.Peer.Network != 0);
    }

    [Fact]
    public void HoweverManyThereAre()
    {
        const int connections = 1000;
        var sockets = new List<Socket>();
        for (var i = 0; i < connections; i++)
        {
            sockets.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) });
            sockets[^1].Connect(_listener.LocalEndPoint!);
            sockets.Add(_listener.Accept());
        }

        var listed = SocketDiagnostics.Connections().Select(connection => (connection.LocalPort, connection.PeerPort)).ToHashSet();
        Assert.All(sockets, socket => Assert.Contains(((ushort)((IPEndPoint)socket.LocalEndPoint!).Port, (ushort)((IPEndPoint)socket.RemoteEndPoint!).Port), listed));
        sockets.ForEach(socket => socket.Dispose());
    }

    private static HostConnection Of(Socket socket, List<HostConnection> all) => all.Single(connection => connection.Cookie == CookieOf(socket));

    private static ulong CookieOf(Socket socket)
    {
        var cookie = HostSocket.CookieOf((int)socket.Handle);
        Assert.NotEqual(0UL, cookie);
        return cookie;
    }

    private static Socket Listen(IPAddress address)
    {
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
            listener.DualMode = true;
        listener.Bind(new IPEndPoint(address, 0));
        listener.Listen();
        return listener;
    }
}
