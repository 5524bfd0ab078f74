using System.Diagnostics;
using System.Numerics;

namespace Freeflow.Verbs.Engine;

/// <summary>
/// Looks at the doorbells of the connections that rang lately. The others wake the engine through their eventfd, so that
/// the cost of a round grows with activity and not with the number of connections.
/// </summary>
internal sealed class DoorbellWatch(EngineCore core)
{
    private static readonly long s_forgetAfter = Stopwatch.Frequency / 20;

    private readonly List<EngineConnection> _watched = [];

    public void Watch(EngineConnection connection)
    {
        connection.LastRang = core.Now;
        if (connection.Watched)
            return;
        connection.Watched = true;
        connection.Doorbell.Asleep = false;
        _watched.Add(connection);
    }

    public void Forget(EngineConnection connection)
    {
        if (connection.Watched)
            _watched.Remove(connection);
        connection.Watched = false;
    }

    /// <summary>Has every QP run that has rung. True when one had.</summary>
    public bool Take()
    {
        var any = false;
        for (var i = _watched.Count - 1; i >= 0; i--)
        {
            var connection = _watched[i];
            if (connection.Doorbell.HasRung)
            {
                connection.LastRang = core.Now;
                any = true;
                Take(connection);
            }
            else if (core.Now - connection.LastRang > s_forgetAfter && TryFallAsleep(connection))
            {
                connection.Watched = false;
                _watched[i] = _watched[^1];
                _watched.RemoveAt(_watched.Count - 1);
            }
        }

        return any;
    }

    /// <summary>Tells the watched connections to wake the engine. False when one has rung meanwhile.</summary>
    public bool TrySleep()
    {
        var quiet = true;
        foreach (var connection in _watched)
            connection.Doorbell.Asleep = true;
        Interlocked.MemoryBarrier();
        foreach (var connection in _watched)
            quiet &= !connection.Doorbell.HasRung;
        return quiet;
    }

    public void Wake()
    {
        foreach (var connection in _watched)
            connection.Doorbell.Asleep = false;
    }

    private static bool TryFallAsleep(EngineConnection connection)
    {
        connection.Doorbell.Asleep = true;
        Interlocked.MemoryBarrier();
        return !connection.Doorbell.HasRung;
    }

    private void Take(EngineConnection connection)
    {
        for (var groups = connection.Doorbell.TakeSummary(); groups != 0; groups &= groups - 1)
        {
            var group = BitOperations.TrailingZeroCount(groups);
            for (var rung = connection.Doorbell.TakeGroup(group); rung != 0; rung &= rung - 1)
            {
                var handle = (uint)((group * 64) + BitOperations.TrailingZeroCount(rung));
                if (!connection.QueuePairs.TryGetValue(handle, out var queuePair))
                    continue;
                core.Answers.Rang(queuePair);
                if (queuePair.RangAt == 0)
                    queuePair.RangAt = core.Now;
                core.Enqueue(queuePair);
            }
        }
    }
}
