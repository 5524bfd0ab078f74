using System.Buffers;
using System.Text.Json;

namespace Freeflow.Router.Dashboard.Live;

/// <summary>
/// What the open pages are told, once a second: looked at once for all of them, and not at all (but for the counters that its history
/// needs) while there are none.
/// </summary>
internal sealed class LiveFeed : IAsyncDisposable
{
    /// <summary>Open pages at once.</summary>
    public const int MostViewers = 16;

    private const string Actors = "actors";

    private static ReadOnlySpan<byte> Begin => "event: tick\ndata: "u8;

    private readonly ILiveSource _source;
    private readonly TimeSpan _every;
    private readonly TimeSpan _soonest;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Viewer> _viewers = [];
    private readonly RateHistory _history = new();
    private readonly Dictionary<string, LiveTable> _tables = [];
    private readonly Task _loop;
    private TaskCompletionSource _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="source">What is looked at.</param>
    /// <param name="every">How often the pages are told something. Who comes is told everything sooner, but not more than four times as often.</param>
    public LiveFeed(ILiveSource source, TimeSpan every)
    {
        (_source, _every, _soonest) = (source, every, every / 4);
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Null when there are as many as there may be, or the router ends.</summary>
    public Viewer? TryAdd(bool withActors)
    {
        lock (_lock)
        {
            if (_viewers.Count == MostViewers || _stop.IsCancellationRequested)
                return null;
            var viewer = new Viewer(withActors, Leave);
            _viewers.Add(viewer);
            _arrival.TrySetResult();
            return viewer;
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (!_stop.IsCancellationRequested)
                _stop.Cancel();
            foreach (var viewer in _viewers)
                viewer.End();
        }

        await _loop;
        _stop.Dispose();
    }

    private void Leave(Viewer viewer)
    {
        lock (_lock)
            _viewers.Remove(viewer);
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var sample = _history.Add(_source.Totals());
                Viewer[] viewers;
                lock (_lock)
                {
                    _arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    viewers = [.. _viewers];
                }

                if (viewers.Length > 0)
                {
                    await ShowAsync(viewers, sample);
                    await Task.Delay(_soonest, _stop.Token);
                }
                else
                {
                    _tables.Clear();
                }

                await Task.WhenAny(_arrival.Task, Task.Delay(_every - _soonest, _stop.Token));
                _stop.Token.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The router ends.
        }
    }

    private async Task ShowAsync(Viewer[] viewers, RateSample? sample)
    {
        try
        {
            await LookAndTellAsync(viewers, sample);
        }
        catch (Exception defect) when (defect is not (OutOfMemoryException or OperationCanceledException))
        {
            // The pages say that they are not told anything more, and come again; what they had may be half.
            _tables.Clear();
            foreach (var viewer in viewers)
                viewer.End();
        }
    }

    private async Task LookAndTellAsync(Viewer[] viewers, RateSample? sample)
    {
        foreach (var section in await _source.LookAsync(viewers.Any(viewer => viewer.WithActors), _stop.Token))
        {
            if (!_tables.TryGetValue(section.Name, out var table))
                _tables.Add(section.Name, table = new LiveTable());
            table.Update(section);
        }

        // Each form is written when the first viewer needs it.
        var messages = new Dictionary<(bool All, bool WithActors), ReadOnlyMemory<byte>>();
        foreach (var viewer in viewers)
        {
            var form = (viewer.NeedsAll, viewer.WithActors);
            if (!messages.TryGetValue(form, out var message))
                messages.Add(form, message = Message(form.NeedsAll, form.WithActors, sample));
            viewer.NeedsAll = !viewer.TryTell(message);
        }
    }

    private ReadOnlyMemory<byte> Message(bool all, bool withActors, RateSample? sample)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Write(Begin);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("At", DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            if (all)
            {
                Write(json, "Router", _source.Identity);
                Write(json, "History", _history.Samples);
            }
            else if (sample is not null)
            {
                Write(json, "Sample", sample);
            }

            json.WriteStartObject("Tables");
            foreach (var (name, table) in _tables.Where(entry => (withActors || entry.Key != Actors) && (all || entry.Value.HasChanged)))
            {
                json.WritePropertyName(name);
                table.Write(json, all);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        buffer.Write("\n\n"u8);
        return buffer.WrittenMemory;
    }

    private static void Write<T>(Utf8JsonWriter to, string name, T value)
    {
        to.WritePropertyName(name);
        JsonSerializer.Serialize(to, value);
    }
}
