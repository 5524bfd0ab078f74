using Akka.Event;

namespace Freeflow.Actors.ClusterTransport;

/// <summary>Tells of connections that were not taken; of many in a short time only the first ones and their number, since strangers can make as many as they like.</summary>
internal sealed class Refusals(ILoggingAdapter log, TimeProvider time)
{
    private const int ToldAtOnce = 20;

    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(10);

    private readonly Lock _counting = new();
    private DateTimeOffset _since;
    private int _count;

    public void Tell(object from, string reason)
    {
        var untold = 0;
        lock (_counting)
        {
            var now = time.GetUtcNow();
            if (now - _since >= s_window || now < _since)
            {
                untold = Math.Max(_count - ToldAtOnce, 0);
                (_since, _count) = (now, 0);
            }

            if (++_count > ToldAtOnce)
                return;
        }

        if (untold > 0)
            log.Warning("Cluster: refused {0} more connections", untold);
        log.Warning("Cluster: refused a connection from {0}: {1}", from, reason);
    }
}
