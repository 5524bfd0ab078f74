using System.Net;
using System.Net.Sockets;
using Freeflow.Lab;
using Freeflow.Verbs.Handover.Relays;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Tests.Handover;

/// <summary>What a relay's two far ends see is what one connection would have shown them.</summary>
public sealed class RelaysCarryConnections : IDisposable
{
    private readonly RelayLoop _loop = new(TimeProvider.System, _ => { });
    private readonly Socket _client;
    private readonly Socket _server;

    public RelaysCarryConnections()
    {
        (_client, var one) = Pair();
        (var other, _server) = Pair();
        _loop.Join(Detach(one), Detach(other), default);
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        _loop.Dispose();
    }

    [Fact]
    public async Task AllBytesOfBothWaysInOrder()
    {
        var (there, back) = (Noise(20_000_000), Noise(10_000_000));
        var sending = Task.WhenAll(Task.Run(() => _client.Send(there)), Task.Run(() => _server.Send(back)));
        var received = await Task.WhenAll(Task.Run(() => Receive(_server, there.Length)), Task.Run(() => Receive(_client, back.Length)));
        await sending;
        Assert.True(there.AsSpan().SequenceEqual(received[0]));
        Assert.True(back.AsSpan().SequenceEqual(received[1]));
    }

    [Fact]
    public void TheEndOfOneWayAndTheOtherGoesOn()
    {
        _client.Send("asked"u8);
        _client.Shutdown(SocketShutdown.Send);
        Assert.Equal("asked"u8.ToArray(), Receive(_server, 5));
        Assert.Equal(0, _server.Receive(new byte[1]));
        _server.Send("answered"u8);
        Assert.Equal("answered"u8.ToArray(), Receive(_client, 8));
        _server.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, _client.Receive(new byte[1]));
        WaitFor.That("the relay's end", () => _loop.Carried == 0);
    }

    [Fact]
    public void AllThatWasSentBeforeTheEnd()
    {
        var all = Noise(3_000_000);
        _client.SendBufferSize = 4 * all.Length;
        _client.Send(all);
        _client.Shutdown(SocketShutdown.Send);
        _server.Shutdown(SocketShutdown.Send);
        Assert.True(all.AsSpan().SequenceEqual(Receive(_server, all.Length)));
        Assert.Equal(0, _server.Receive(new byte[1]));
        WaitFor.That("the relay's end", () => _loop.Carried == 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AReset(bool whileItIsBlocked)
    {
        WaitFor.That("the relay", () => _loop.Carried == 1);
        if (whileItIsBlocked)
        {
            _client.Blocking = false;
            WaitFor.That("a relay that is full", () => _client.Send(new byte[100_000], 0, 100_000, SocketFlags.None, out var error) <= 0 || error == SocketError.WouldBlock);
        }

        _client.LingerState = new LingerOption(true, 0);
        _client.Dispose();
        WaitFor.That("the relay's end", () => _loop.Carried == 0);
        var bytes = new byte[1_000_000];
        var ended = Assert.Throws<SocketException>(() =>
        {
            while (_server.Receive(bytes) > 0)
            {
            }
        });
        Assert.Equal(SocketError.ConnectionReset, ended.SocketErrorCode);
    }

    [Fact]
    public void NotForOneContainerAlone()
    {
        const int most = 512;
        var owner = new RelayOwner(1, Ipv4.From(IPAddress.Parse("10.244.1.11"))!.Value);
        var ends = new List<(Socket Client, Socket Server)>();
        for (var i = 0; i <= most; i++)
        {
            var (client, one) = Pair();
            var (other, server) = Pair();
            ends.Add((client, server));
            _loop.Join(Detach(one), Detach(other), owner);
        }

        var (refused, _) = ends[most];
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => refused.Receive(new byte[1])).SocketErrorCode);
        _client.Send("another's"u8);
        Assert.Equal("another's"u8.ToArray(), Receive(_server, 9));
        foreach (var (client, server) in ends)
        {
            client.Dispose();
            server.Dispose();
        }

        WaitFor.That("the others' end", () => _loop.Carried == 1, () => $"{_loop.Carried} relays");
    }

    [Fact]
    public void ItsOwnEndIsAReset()
    {
        WaitFor.That("the relay", () => _loop.Carried == 1);
        _loop.Dispose();
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => _server.Receive(new byte[1])).SocketErrorCode);
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => _client.Receive(new byte[1])).SocketErrorCode);
    }

    private static (Socket One, Socket Other) Pair()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var one = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        one.Connect(listener.LocalEndPoint!);
        var other = listener.Accept();
        other.ReceiveTimeout = 20_000;
        return (one, other);
    }

    private static int Detach(Socket socket)
    {
        var handle = StreamSocket.Take(socket);
        var descriptor = (int)handle.DangerousGetHandle();
        handle.SetHandleAsInvalid();
        return descriptor;
    }

    private static byte[] Receive(Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var got = 0; got < count;)
        {
            var more = socket.Receive(bytes, got, count - got, SocketFlags.None);
            Assert.True(more > 0, $"the end after {got} of {count} bytes");
            got += more;
        }

        return bytes;
    }

    private static byte[] Noise(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }
}
