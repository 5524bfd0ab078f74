using System.Threading.Channels;

namespace Freeflow.Router.Dashboard.Live;

/// <summary>One open page. Who reads too slowly misses what it has no room for, and then gets everything again.</summary>
internal sealed class Viewer(bool withActors, Action<Viewer> leave) : IDisposable
{
    private const int MostWaiting = 4;

    private readonly Channel<ReadOnlyMemory<byte>> _messages = Channel.CreateBounded<ReadOnlyMemory<byte>>(
        new BoundedChannelOptions(MostWaiting) { SingleReader = true, SingleWriter = true, FullMode = BoundedChannelFullMode.Wait });

    public bool WithActors { get; } = withActors;

    /// <summary>Whether it has to be told everything. The feed's alone.</summary>
    public bool NeedsAll { get; set; } = true;

    public ChannelReader<ReadOnlyMemory<byte>> Messages => _messages.Reader;

    public bool TryTell(ReadOnlyMemory<byte> message) => _messages.Writer.TryWrite(message);

    /// <summary>There is nothing more to come.</summary>
    public void End() => _messages.Writer.TryComplete();

    public void Dispose() => leave(this);
}
