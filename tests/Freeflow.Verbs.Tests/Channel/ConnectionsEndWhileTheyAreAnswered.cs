using System.Collections;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Freeflow.Lab;
using Freeflow.Verbs.Channel;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Tests.Channel;

/// <summary>A process that ends is noticed on the listener's thread, while an actor may be answering it on another.</summary>
public sealed class ConnectionsEndWhileTheyAreAnswered : IShimListenerEvents, IDisposable
{
    private static readonly TimeSpan s_bound = WaitFor.Scaled(TimeSpan.FromSeconds(60));

    private readonly string _directory = Directory.CreateTempSubdirectory("freeflow-channel").FullName;
    private readonly Socket _client = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
    private readonly TaskCompletionSource<ShimConnection> _received = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _closed = new();

    [Fact]
    public async Task TheAnswerIsLostAndNothingElse()
    {
        using var listener = new ShimListener(_directory, "default", this, new ShimListenerOptions());
        listener.Start();
        _client.Connect(new UnixDomainSocketEndPoint(Path.Combine(_directory, "default.sock")));
        var hello = new byte[Marshal.SizeOf<ShimHeader>()];
        MemoryMarshal.Write(hello, new ShimHeader { Magic = ShimProtocol.Magic, Type = ShimMessageType.Hello });
        _client.Send(hello);
        var connection = await _received.Task.WaitAsync(s_bound);

        connection.Reply(new ShimReply(ShimMessageType.Hello, 0, 0, ReadOnlyMemory<byte>.Empty) { Descriptors = new LateDescriptors(this) });

        Assert.True(_closed.Wait(s_bound), "the end of the process has not been noticed");
    }

    public void Dispose()
    {
        _client.Dispose();
        _closed.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    void IShimListenerEvents.Connected(ShimConnection connection)
    {
    }

    void IShimListenerEvents.Received(ShimConnection connection, ShimRequest request) => _received.SetResult(connection);

    void IShimListenerEvents.Closed(ShimConnection connection, string reason) => _closed.Set();

    void IShimListenerEvents.Refused(string reason)
    {
    }

    /// <summary>None, but by the time that it says so the process has ended, and the listener has had a while to notice.</summary>
    private sealed class LateDescriptors(ConnectionsEndWhileTheyAreAnswered test) : IReadOnlyList<SafeFileHandle>
    {
        public int Count
        {
            get
            {
                test._client.Dispose();
                test._closed.Wait(TimeSpan.FromMilliseconds(500));
                return 0;
            }
        }

        public SafeFileHandle this[int index] => throw new ArgumentOutOfRangeException(nameof(index));

        public IEnumerator<SafeFileHandle> GetEnumerator() => Enumerable.Empty<SafeFileHandle>().GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
