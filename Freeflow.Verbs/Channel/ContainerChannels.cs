namespace Freeflow.Verbs.Channel;

/// <summary>
/// The completion channels of all a container's devices. No call tells that an application has closed one, so it counts until
/// somebody looks: at the latest when there would be no more. Any thread.
/// </summary>
public sealed class ContainerChannels(int limit)
{
    private readonly Lock _gate = new();
    private readonly HashSet<EventStream> _open = [];

    /// <summary>One more; null where that is one too many, or the router has no descriptors for it.</summary>
    public EventStream? TryMake(int recordBytes)
    {
        lock (_gate)
        {
            var made = _open.Count < limit ? EventStream.TryCreate(recordBytes) : null;
            if (made is null)
            {
                EndAbandoned();
                made = _open.Count < limit ? EventStream.TryCreate(recordBytes) : null;
            }

            if (made is not null)
                _open.Add(made);
            return made;
        }
    }

    /// <summary>Frees channels that nothing uses any more.</summary>
    public void End(IEnumerable<EventStream> channels)
    {
        lock (_gate)
        {
            foreach (var channel in channels)
            {
                channel.Dispose();
                _open.Remove(channel);
            }
        }
    }

    private void EndAbandoned()
    {
        foreach (var abandoned in _open.Where(channel => channel.IsAbandoned).ToArray())
        {
            abandoned.Dispose();
            _open.Remove(abandoned);
        }
    }
}
