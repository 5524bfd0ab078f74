using System.Net;
using System.Net.Sockets;
using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>The filters that accepted sockets share, where peers are many and where their ports come again.</summary>
public sealed class AcceptedSocketsArePeersOwn : IDisposable
{
    /// <summary>Long enough for a packet over the loopback, many times over.</summary>
    private static readonly TimeSpan s_while = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan s_bound = WaitFor.Scaled(TimeSpan.FromSeconds(10));

    private readonly Ipv4 _host = Addresses.NextHost();
    private readonly SharedFilters _filters =
        SharedFilters.TryCreate(out var error) ?? throw new InvalidOperationException($"the kernel refuses the filters that sockets share (errno {error})");

    private readonly List<Socket> _held = [];

    [Fact]
    public async Task BeyondTheHostsThatHaveFiltersOfTheirOwn()
    {
        using var listener = Listen(_host);
        for (var peer = 0; peer < SharedFilters.MostPeers; peer++)
            MustTalk(Connect(listener, Addresses.NextHost(), 0));
        Assert.Equal(SharedFilters.MostPeers, _filters.Peers);

        var last = Addresses.NextHost();
        var (client, accepted) = Connect(listener, last, 0);
        MustTalk((client, accepted));
        Assert.Equal(SharedFilters.MostPeers, _filters.Peers);
        var local = listener.LocalEndPoint!;
        listener.Dispose();
        Assert.False(await Reaches(BoundTo(local, Reborn(accepted)), last, 0, s_while), "the accepted socket reaches another port of its peer's");
    }

    [Fact]
    public void AHostThatIsGoneMakesRoomAndItsConnectionsStay()
    {
        using var listener = Listen(_host);
        var peer = Addresses.NextHost();
        var connection = Connect(listener, peer, 0);
        _filters.Forget(peer);
        Assert.Equal(0, _filters.Peers);
        MustTalk(connection);
        MustTalk(Connect(listener, peer, 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AConnectionFromTheSamePortComesInPlaceOfTheOneBefore(bool isInTable)
    {
        if (isInTable)
            FillUp();
        using var listener = Listen(_host);
        var peer = Addresses.NextHost();
        var (client, first) = Connect(listener, peer, 0);
        MustTalk((client, first));
        var port = ((IPEndPoint)client.LocalEndPoint!).Port;
        var reborn = Reborn(first);
        client.LingerState = new LingerOption(true, 0);
        client.Dispose();

        var (again, second) = Connect(listener, peer, port);
        MustTalk((again, second));
        again.LingerState = new LingerOption(true, 0);
        again.Dispose();
        var local = listener.LocalEndPoint!;
        listener.Dispose();
        Assert.False(await Reaches(BoundTo(local, reborn), peer, port, s_while), "the socket of the connection before still reaches the port");
        reborn.Dispose();
        Assert.True(await Reaches(BoundTo(local, Reborn(second)), peer, port, s_bound), "nothing reaches the port: the test shows nothing");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ConnectionsFromOnePortToTwoDoNotKnowEachOther(bool isInTable)
    {
        if (isInTable)
            FillUp();
        using var listener = Listen(_host);
        using var other = Listen(_host);
        var peer = Addresses.NextHost();
        var first = Connect(listener, peer, 0);
        var port = ((IPEndPoint)first.Client.LocalEndPoint!).Port;
        var second = Connect(other, peer, port);
        MustTalk(first);
        MustTalk(second);

    }

    public void Dispose()
    {
        foreach (var socket in _held)
            socket.Dispose();
        _filters.Dispose();
    }

    private void FillUp()
    {
        using var listener = Listen(_host);
        for (var peer = 0; peer < SharedFilters.MostPeers; peer++)
            Connect(listener, Addresses.NextHost(), 0);
    }

    private Socket Listen(Ipv4 address, int port = 0)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _held.Add(listener);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(address.ToIPAddress(), port));
        listener.Listen();
        return listener;
    }

    /// <summary>A connection from a port of a peer's, its accepted end with the filter.</summary>
    private (Socket Client, Socket Accepted) Connect(Socket listener, Ipv4 peer, int port)
    {
        var local = (IPEndPoint)listener.LocalEndPoint!;
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _held.Add(client);
        client.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        client.Bind(new IPEndPoint(peer.ToIPAddress(), port));
        client.Connect(new IPEndPoint(_host.ToIPAddress(), local.Port));
        var accepted = listener.Accept();
        _held.Add(accepted);
        var from = ((IPEndPoint)client.LocalEndPoint!).Port;
        Assert.Equal(0, _filters.AttachToAccepted((int)accepted.SafeHandle.DangerousGetHandle(), local.Port, (peer, from)));
        return (client, accepted);
    }

    private static void MustTalk((Socket Client, Socket Accepted) connection)
    {
        connection.Accepted.ReceiveTimeout = (int)s_bound.TotalMilliseconds;
        connection.Client.Send([1, 2, 3]);
        Assert.Equal(3, connection.Accepted.Receive(new byte[8]));
    }

    private Socket Reborn(Socket socket)
    {
        var reborn = SocketCalls.Reborn(socket);
        _held.Add(reborn);
        return reborn;
    }

    private static Socket BoundTo(EndPoint local, Socket socket)
    {
        socket.Bind(local);
        return socket;
    }

    /// <summary>Whether a socket connects to a service that is there for it alone.</summary>
    private async Task<bool> Reaches(Socket socket, Ipv4 address, int port, TimeSpan within)
    {
        using var service = Listen(address, port);
        using var bound = new CancellationTokenSource(within);
        try
        {
            await socket.ConnectAsync(service.LocalEndPoint!, bound.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
