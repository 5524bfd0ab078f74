namespace Freeflow.Verbs.Handover;

// What containers' connections have been like, and which destinations go plain for it.
public sealed partial class HandoverLoop
{
    private const int MaximumHistories = 4096;

    private bool Learns(Destination destination) => _options.Mode == AccelerationMode.Learned && !IsListed(_options.Always, destination);

    private bool IsLearntShort(HandoverContainer container, Destination destination) =>
        Learns(destination) && container.Histories.TryGetValue(destination, out var history) && history.IsPlain(Now);

    private void Learn(HandoverContainer container, Destination destination, in ShimNote note)
    {
        if (_options.Mode != AccelerationMode.Learned)
            return;
        if (!container.Histories.TryGetValue(destination, out var history))
        {
            // It can ask for as many destinations as there are; those beyond are not learnt.
            if (container.Histories.Count == MaximumHistories)
                return;
            container.Histories.Add(destination, history = new DestinationHistory());
        }

        var connections = (int)Math.Clamp(note.Connections, 1, int.MaxValue);
        if (!history.Add(connections, (long)Math.Min(note.Bytes, long.MaxValue), note.Milliseconds, _options, Now))
            return;
        Statistics.LearntShort++;
        _events.Noticed($"container {container}: connections to {destination.Address}:{destination.Port} are short, so they go plain for {_options.ForgetAfter.TotalSeconds} s");
        Review(container);
    }

    private void ForgetHistories(long now)
    {
        foreach (var container in _containers)
        {
            foreach (var (destination, history) in container.Histories)
            {
                if (history.TryForget(now))
                    Review(new ListenerKey(container.Tenant.Key, destination.Address, (ushort)destination.Port));
                else if (history.IsIdle(_options, now))
                    container.Histories.Remove(destination);
            }
        }
    }
}
