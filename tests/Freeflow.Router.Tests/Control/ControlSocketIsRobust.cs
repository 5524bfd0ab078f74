using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Freeflow.Lab;
using Freeflow.Router.Control;

namespace Freeflow.Router.Tests.Control;

public sealed class ControlSocketIsRobust : IDisposable
{
    private static readonly TimeSpan s_bound = WaitFor.Scaled(TimeSpan.FromSeconds(60));
    private static readonly TimeSpan s_heartbeat = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_soon = TimeSpan.FromMilliseconds(500);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("freeflow-control");
    private readonly string _path;
    private readonly Answers _answers = new();
    private ControlSocket _socket;

    public ControlSocketIsRobust()
    {
        _path = ControlSocket.PathOf(_directory.FullName, "router");
        _socket = new ControlSocket(_path, _answers, new ControlBounds { Heartbeat = s_heartbeat });
    }

    public void Dispose()
    {
        _socket.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task ARequestIsAnswered()
    {
        var answer = await AskAsync(ControlRequest.Of("echo", ("Limit", "17"), ("Nothing", null)));
        Assert.Equal("Limit=17", answer.GetProperty("Said").GetString());
    }

    [Fact]
    public async Task ALongAnswerComesWhole() =>
        Assert.Equal(Answers.Long, (await AskAsync(ControlRequest.Of("long"))).GetProperty("Said").GetString());

    [Theory]
    [InlineData("unknown", "not known here")]
    [InlineData("never", "took too long")]
    [InlineData("defect", "a defect in the router: NullReferenceException")]
    public async Task WhatHasNoAnswerIsSaid(string name, string expected)
    {
        GiveUpSoon();
        var refused = await Assert.ThrowsAsync<ControlException>(() => AskAsync(ControlRequest.Of(name)));
        Assert.Contains(expected, refused.Message);
        await StillServesAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("qps\n")]
    [InlineData("{\n")]
    [InlineData("[1, 2]\n")]
    [InlineData("\"echo\"\n")]
    [InlineData("{\"Name\": 7}\n")]
    [InlineData("{\"Name\": null}\n")]
    [InlineData("{\"Name\": \"\"}\n")]
    [InlineData("{\"Name\": \"echo\", \"Arguments\": [1]}\n")]
    [InlineData("{\"Name\": \"echo\", \"Arguments\": {\"Limit\": 7}}\n")]
    [InlineData("{\"Name\": \"echo\", \"Arguments\": {\"A\": \"1\", \"A\": \"2\"}}\n")]
    [InlineData("{\"Name\": \"echo\", \"Arguments\": {\"A\": {\"B\": {\"C\": {\"D\": {}}}}}}\n")]
    [InlineData("{\"Name\": \"\\ud800\"}\n")]
    [InlineData("{\"Name\": \"echo\"} trailing\n")]
    [InlineData("\0\u0001\u0002\n")]
    public async Task NonsenseGetsAClearError(string line)
    {
        Assert.Contains("a request", await SaidAsync(Encoding.UTF8.GetBytes(line)));
        await StillServesAsync();
    }

    [Fact]
    public async Task SoDoesWhatIsTooLong()
    {
        Assert.Contains($"at most {ControlRequest.MaximumBytes} bytes", await SaidAsync(Enumerable.Repeat((byte)'x', 1 << 20).ToArray()));
        await StillServesAsync();
    }

    [Fact]
    public async Task WhoSaysNothingIsGivenUp()
    {
        GiveUpSoon();
        using var silent = await ConnectAsync();
        Assert.Contains("no request came in time", await ReadAsync(silent));
        await StillServesAsync();
    }

    [Fact]
    public async Task WhoSpeaksLetterByLetterIsGivenUpToo()
    {
        GiveUpSoon();
        using var slow = await ConnectAsync();
        var reading = ReadAsync(slow);
        try
        {
            while (!reading.IsCompleted)
            {
                await slow.SendAsync(" "u8.ToArray());
                // The pause between two letters is what the test is about: one comes well before the bound, many come after it.
                await Task.Delay(50);
            }
        }
        catch (SocketException)
        {
            // It has been closed.
        }

        Assert.Contains("no request came in time", await reading);
        await StillServesAsync();
    }

    [Fact]
    public async Task WhoClosesEarlyOrDoesNotReadHarmsNobody()
    {
        GiveUpSoon();
        var unread = new List<Socket>();
        for (var i = 0; i < 3 * ControlSocket.MaximumClients; i++)
        {
            var client = await ConnectAsync();
            await client.SendAsync(ControlRequest.Of("long").ToLine());
            if (i % 2 == 0)
                client.Dispose();
            else
                unread.Add(client);
        }

        await StillServesAsync();
        unread.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task SeveralAreServedAtOnce()
    {
        using var silent = await ConnectAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => AskAsync(ControlRequest.Of("echo", ("I", $"{i}")))));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"I={i}"), answers.Select(answer => answer.GetProperty("Said").GetString()!));
    }

    [Fact]
    public async Task AStreamIsToldPartByPartToItsEnd() =>
        Assert.Equal([1, 2, 3], (await FollowAsync("three")).Select(part => part.GetProperty("Part").GetInt32()));

    [Fact]
    public async Task WhatEndsAStreamEarlyIsSaid()
    {
        Assert.Equal("enough", (await Assert.ThrowsAsync<ControlException>(() => FollowAsync("refused later"))).Message);
        Assert.Contains("a defect in the router: NullReferenceException", (await Assert.ThrowsAsync<ControlException>(() => FollowAsync("defect later"))).Message);
        Assert.Equal("not known here", (await Assert.ThrowsAsync<ControlException>(() => FollowAsync("unknown"))).Message);
        await StillServesAsync();
    }

    [Fact]
    public async Task AStreamIsCancelledWhenItsReaderIsGone()
    {
        using (var stop = new CancellationTokenSource())
        {
            var parts = ControlClient.FollowAsync(_path, ControlRequest.Of("endless"), s_bound, stop.Token).GetAsyncEnumerator();
            Assert.True(await parts.MoveNextAsync());
            await parts.DisposeAsync();
        }

        await _answers.Cancelled.Task.WaitAsync(s_bound);
        await StillServesAsync();
    }

    /// <summary>Silent streams and a reader that does not read are all told apart from one that is gone.</summary>
    [Fact]
    public async Task StreamsThatNobodyReadsEnd()
    {
        GiveUpSoon();
        var unread = new List<Socket>();
        for (var i = 0; i < 2 * ControlSocket.MaximumClients; i++)
        {
            unread.Add(await ConnectAsync());
            await unread[^1].SendAsync(ControlRequest.Of("flood").ToLine());
        }

        await StillServesAsync();
        unread.ForEach(client => client.Dispose());
    }

    [Fact]
    public void OnlyRootMayConnect() => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_path));

    [Fact]
    public async Task ItIsGoneWhenTheRouterIs()
    {
        _socket.Dispose();
        Assert.False(File.Exists(_path));
        var refused = await Assert.ThrowsAsync<ControlException>(() => AskAsync(ControlRequest.Of("echo")));
        Assert.Contains($"no router answers at {_path}", refused.Message);
    }

    [Fact]
    public async Task ARouterThatDoesNotAnswerIsGivenUp()
    {
        var path = Path.Combine(_directory.FullName, "mute");
        using var mute = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        mute.Bind(new UnixDomainSocketEndPoint(path));
        mute.Listen();
        var refused = await Assert.ThrowsAsync<ControlException>(
            () => ControlClient.AskAsync(path, ControlRequest.Of("status"), TimeSpan.FromMilliseconds(300), CancellationToken.None));
        Assert.Equal($"no router answers at {path} within 0.3 s", refused.Message);
    }

    /// <summary>For tests that wait until the socket gives a client up. All others have its usual bounds, since 500 ms may be short for a long answer.</summary>
    private void GiveUpSoon()
    {
        _socket.Dispose();
        _socket = new ControlSocket(_path, _answers, new ControlBounds { Saying = s_soon, Answering = s_soon, Reading = s_soon, Heartbeat = s_heartbeat });
    }

    private async Task StillServesAsync() => Assert.Equal("A=b", (await AskAsync(ControlRequest.Of("echo", ("A", "b")))).GetProperty("Said").GetString());

    private Task<JsonElement> AskAsync(ControlRequest request) => ControlClient.AskAsync(_path, request, s_bound, CancellationToken.None);

    private async Task<List<JsonElement>> FollowAsync(string name)
    {
        var parts = new List<JsonElement>();
        await foreach (var part in ControlClient.FollowAsync(_path, ControlRequest.Of(name), s_bound, CancellationToken.None))
            parts.Add(part);
        return parts;
    }

    private async Task<string> SaidAsync(byte[] line)
    {
        using var client = await ConnectAsync();
        try
        {
            for (ReadOnlyMemory<byte> rest = line; rest.Length > 0;)
                rest = rest[await client.SendAsync(rest)..];
            client.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // It has heard enough.
        }

        return await ReadAsync(client);
    }

    private async Task<Socket> ConnectAsync()
    {
        var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(_path));
        return client;
    }

    private static async Task<string> ReadAsync(Socket client)
    {
        using var bound = new CancellationTokenSource(s_bound);
        var said = new MemoryStream();
        var part = new byte[4096];
        while (await client.ReceiveAsync(part, bound.Token) is > 0 and var got)
            said.Write(part, 0, got);
        return JsonDocument.Parse(said.ToArray()).RootElement.GetProperty("Error").GetString()!;
    }

    private sealed class Answers : IControlAnswers
    {
        public TaskCompletionSource Cancelled { get; } = new();

        public static string Long { get; } = new('x', 8 << 20);

        public async Task<object> AnswerAsync(ControlRequest request, CancellationToken stop)
        {
            switch (request.Name)
            {
                case "echo":
                    return new { Said = string.Join(' ', request.Arguments.Select(argument => $"{argument.Key}={argument.Value}")) };
                case "long":
                    return new { Said = Long };
                case "never":
                    await Task.Delay(Timeout.Infinite, CancellationToken.None);
                    break;
                case "three":
                    return new ControlStream(CountAsync(1, 3, TimeSpan.FromMilliseconds(200), null));
                case "refused later":
                    return new ControlStream(CountAsync(1, 1, TimeSpan.Zero, new ControlException("enough")));
                case "defect later":
                    return new ControlStream(CountAsync(1, 1, TimeSpan.Zero, new NullReferenceException()));
                case "flood":
                    return new ControlStream(CountAsync(0, int.MaxValue, TimeSpan.Zero, null));
                case "endless":
                    return new ControlStream(EndlessAsync());
                case "defect":
                    throw new NullReferenceException();
            }

            throw new ControlException("not known here");
        }

        private static async IAsyncEnumerable<object> CountAsync(int first, int last, TimeSpan pause, Exception? end)
        {
            for (var i = first; i <= last; i++)
            {
                // A part later than several heartbeats: the control socket has to send them between.
                await Task.Delay(pause);
                yield return new { Part = i, Long = new string('x', last == int.MaxValue ? 1 << 16 : 1) };
            }

            if (end is not null)
                throw end;
        }

        private async IAsyncEnumerable<object> EndlessAsync([EnumeratorCancellation] CancellationToken stop = default)
        {
            using var told = stop.Register(Cancelled.SetResult);
            yield return new { Part = 1 };
            await Task.Delay(Timeout.Infinite, stop);
        }
    }
}
