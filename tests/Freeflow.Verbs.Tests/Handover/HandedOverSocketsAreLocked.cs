using System.Net;
using System.Net.Sockets;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Testbed.Handover;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>Whatever its holder does with a host socket, it is good for the one connection only.</summary>
public abstract class HandedOverSocketsAreLocked : PairTest
{
    private const int Port = 80;

    /// <summary>Long enough for a connection over the loopback, many times over.</summary>
    private static readonly TimeSpan s_while = TimeSpan.FromMilliseconds(300);

    [Fact]
    public void TheFilterStays()
    {
        using var server = Pair.Listen(Port);
        using var client = Application.Connect(Pair.Route(Port));
        using var accepted = server.Accept();
        foreach (var socket in (HandedSocket[])[client, accepted.Socket])
        {
            var ends = socket.Ends;
            var handle = socket.Socket.SafeHandle;
            Assert.Equal(-Errno.EPERM, SocketCalls.SetOption(handle, SocketCalls.DetachFilterOption, 0));
            Assert.Equal(-Errno.EPERM, SocketCalls.SetOption(handle, SocketCalls.LockFilterOption, 0));
            Assert.Equal(-Errno.EPERM, SocketCalls.SetOption(handle, SocketCalls.AttachBpfOption, 0));
            Assert.Equal(-Errno.EPERM, OwnFilter.Attach((int)handle.DangerousGetHandle(), (default, 1)));
            Assert.Equal(ends, socket.Ends);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnotherHostServiceIsNeverConnectedTo(bool isUsed)
    {
        using var server = Pair.Listen(Port);
        var route = Pair.Route(Port);
        using var client = isUsed ? Application.Connect(route) : Application.Want(route).Only;
        using var service = Listener(Pair.ServerSite.Address, 0);
        using var reborn = Reborn(client);
        using var bound = new CancellationTokenSource(s_while);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reborn.ConnectAsync(service.LocalEndPoint!, bound.Token).AsTask());
        Assert.False(service.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task AListenerMadeOfOneAcceptsNobody()
    {
        using var server = Pair.Listen(Port);
        using var client = Application.Connect(Pair.Route(Port));
        var port = client.Ends.LocalPort;
        using var reborn = Reborn(client);
        Assert.Equal(0, SocketCalls.StartListening(reborn.SafeHandle));
        using var visitor = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var bound = new CancellationTokenSource(s_while);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => visitor.ConnectAsync(new IPEndPoint(Pair.ClientSite.Address.ToIPAddress(), port), bound.Token).AsTask());
        Assert.False(reborn.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task AnAcceptedOneIsNoBetter()
    {
        using var server = Pair.Listen(Port);
        using var client = Application.Connect(Pair.Route(Port));
        using var accepted = server.Accept();
        using var service = Listener(Pair.ClientSite.Address, 0);
        using var reborn = Reborn(accepted.Socket);
        using var bound = new CancellationTokenSource(s_while);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reborn.ConnectAsync(service.LocalEndPoint!, bound.Token).AsTask());
        Assert.False(service.Poll(0, SelectMode.SelectRead));
    }

    private static Socket Reborn(HandedSocket socket) => SocketCalls.Reborn(socket.Socket);

    private static Socket Listener(Ipv4 address, int port)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(address.ToIPAddress(), port));
        listener.Listen();
        return listener;
    }
}

public sealed class HandedOverSocketsAreLockedByFiltersThatAllShare : HandedOverSocketsAreLocked;

/// <summary>As where the kernel allows no others.</summary>
public sealed class HandedOverSocketsAreLockedByFiltersOfTheirOwn : HandedOverSocketsAreLocked
{
    protected override HandoverOptions AdjustClient(HandoverOptions options) => options with { OwnFilters = true };

    protected override HandoverOptions AdjustServer(HandoverOptions options) => options with { OwnFilters = true };
}
