using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Freeflow.Lab;
using Freeflow.Verbs.Channel;
using Microsoft.Extensions.Time.Testing;

namespace Freeflow.Verbs.Tests.Channel;

/// <summary>A place at the router's socket is for those who say something.</summary>
public sealed class SilentClientsAreClosed : IShimListenerEvents, IDisposable
{
    private static readonly TimeSpan s_within = TimeSpan.FromSeconds(5);

    private readonly string _directory = Directory.CreateTempSubdirectory("freeflow-channel").FullName;
    private readonly FakeTimeProvider _clock = new();
    private readonly ShimListener _listener;
    private readonly ConcurrentQueue<string> _closed = new();
    private int _connected;
    private int _received;

    public SilentClientsAreClosed()
    {
        _listener = new ShimListener(_directory, "default", this, new ShimListenerOptions { HelloTimeout = s_within, Time = _clock });
        _listener.Start();
    }

    public void Dispose()
    {
        _listener.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void AfterAWhileAndNotThoseThatHaveSpoken()
    {
        using var silent = Connect();
        using var speaker = Connect();
        Hello(speaker);
        _clock.Advance(s_within + TimeSpan.FromSeconds(1));
        WaitFor.That("the end of the silent one", () => !_closed.IsEmpty);
        Assert.Equal("it said nothing for 5 s", Assert.Single(_closed));
        Assert.Equal(0, silent.Receive(new byte[1]));
        Hello(speaker);
    }

    [Fact]
    public void NotBefore()
    {
        using var silent = Connect();
        _clock.Advance(s_within);
        // Notices the time before it takes what comes now.
        using var later = Connect();
        Hello(later);
        Hello(silent);
        Assert.Empty(_closed);
    }

    private Socket Connect()
    {
        var before = Volatile.Read(ref _connected);
        var client = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(Path.Combine(_directory, "default.sock")));
        WaitFor.That("the connection", () => Volatile.Read(ref _connected) > before);
        return client;
    }

    private void Hello(Socket client)
    {
        var before = Volatile.Read(ref _received);
        var hello = new byte[Marshal.SizeOf<ShimHeader>()];
        MemoryMarshal.Write(hello, new ShimHeader { Magic = ShimProtocol.Magic, Type = ShimMessageType.Hello });
        client.Send(hello);
        WaitFor.That("the message", () => Volatile.Read(ref _received) > before);
    }

    void IShimListenerEvents.Connected(ShimConnection connection) => Interlocked.Increment(ref _connected);

    void IShimListenerEvents.Received(ShimConnection connection, ShimRequest request) => Interlocked.Increment(ref _received);

    void IShimListenerEvents.Closed(ShimConnection connection, string reason) => _closed.Enqueue(reason);

    void IShimListenerEvents.Refused(string reason)
    {
    }
}
