using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Freeflow.Lab;
using Freeflow.Verbs.Links;

namespace Freeflow.Verbs.Tests.Links;

[Trait("Tier", "Loop")]
public sealed class LinksAreAuthenticated : IDisposable
{
    private readonly LinkCredential _credential = new(RandomNumberGenerator.GetBytes(32));
    private readonly ConcurrentQueue<string> _accepted = new();
    private readonly ConcurrentQueue<string> _refused = new();
    private readonly LinkListener _listener;

    public LinksAreAuthenticated() => _listener = new LinkListener(
        new IPEndPoint(IPAddress.Loopback, 0), "here", node => node == "there" ? _credential : null, encrypt: false,
        (node, link) =>
        {
            _accepted.Enqueue(node);
            link.Dispose();
        },
        _refused.Enqueue);

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task WhoHasTheKeyIsAccepted()
    {
        using var link = await DialAsync("there", "here", _credential);
        await WaitFor.ThatAsync("a link", () => _accepted.Contains("there"));
    }

    [Fact]
    public void ThePortIsOneListenersAlone() => Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => new LinkListener(
        new IPEndPoint(IPAddress.Loopback, _listener.Port), "other", _ => null, encrypt: false, (_, link) => link.Dispose(), _ => { })).SocketErrorCode);

    [Fact]
    public async Task AnotherKeyIsRefusedByName()
    {
        await Assert.ThrowsAnyAsync<Exception>(() => DialAsync("there", "here", new LinkCredential(RandomNumberGenerator.GetBytes(32))));
        await WaitFor.ThatAsync("a refusal", () => !_refused.IsEmpty);
        Assert.Empty(_accepted);
    }

    [Theory]
    [InlineData("127.0.0.0/8", true)]
    [InlineData("192.0.2.0/24", false)]
    public async Task WhoComesFromElsewhereIsRefusedWhateverItKnows(string network, bool isTaken)
    {
        using var listener = new LinkListener(
            new IPEndPoint(IPAddress.Loopback, 0), "here", _ => _credential, encrypt: false, (node, link) =>
            {
                _accepted.Enqueue(node);
                link.Dispose();
            },
            _refused.Enqueue, IPNetwork.Parse(network));
        var at = new IPEndPoint(IPAddress.Loopback, listener.Port);
        Task<AuthenticatedLink> DialAsync() => LinkDialer.DialAsync(IPAddress.Loopback, at, "there", "here", LinkPurpose.Data, _credential, encrypt: false, CancellationToken.None);
        if (isTaken)
            (await DialAsync()).Dispose();
        else
            await Assert.ThrowsAnyAsync<Exception>(DialAsync);
        await WaitFor.ThatAsync(
            isTaken ? "a link" : "a refusal",
            () => isTaken ? _accepted.Contains("there") : _refused.Any(reason => reason.Contains("it is not in 192.0.2.0/24")),
            () => string.Join(", ", _refused));
        Assert.Equal(isTaken, !_accepted.IsEmpty);
    }

    [Fact]
    public async Task AStrangerIsRefused()
    {
        await Assert.ThrowsAnyAsync<Exception>(() => DialAsync("stranger", "here", _credential));
        Assert.Empty(_accepted);
    }

    [Fact]
    public async Task WhoMeantAnotherRouterIsRefused()
    {
        await Assert.ThrowsAnyAsync<Exception>(() => DialAsync("there", "elsewhere", _credential));
        Assert.Empty(_accepted);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(100_000)]
    public async Task GarbageIsClosed(int bytes)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, _listener.Port);
        var noise = new byte[bytes];
        new Random(bytes).NextBytes(noise);
        try
        {
            for (var sent = 0; sent < bytes;)
                sent += await socket.SendAsync(noise.AsMemory(sent));
            socket.Shutdown(SocketShutdown.Send);
            using var bound = new CancellationTokenSource(WaitFor.Scaled(TimeSpan.FromSeconds(10)));
            var answer = new byte[4096];
            while (await socket.ReceiveAsync(answer, bound.Token) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Closed with bytes unread: a reset.
        }

        Assert.Empty(_accepted);
    }

    private Task<AuthenticatedLink> DialAsync(string own, string peer, LinkCredential credential) => LinkDialer.DialAsync(
        IPAddress.Loopback, new IPEndPoint(IPAddress.Loopback, _listener.Port), own, peer, LinkPurpose.Data, credential, encrypt: false, CancellationToken.None);
}
