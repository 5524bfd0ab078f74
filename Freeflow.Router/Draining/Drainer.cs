using System.Diagnostics;
using System.Runtime.CompilerServices;
using Akka.Actor;
using Freeflow.Actors;
using Freeflow.Actors.Draining;
using Freeflow.Actors.Events;
using Freeflow.Router.Control;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;

namespace Freeflow.Router.Draining;

/// <summary>
/// Has the router take nothing new, and tells when nothing is left that would break at its end: new TCP connections are plain, to listeners
/// here as well, and QPs are not connected any more. It stays a member meanwhile, so that what there is goes on, until it is told to leave.
/// </summary>
internal sealed class Drainer(ActorSystem system, VerbsEngine engine, HandoverLoop handover, DrainSwitch drain, Func<int> flows, Action leave)
{
    private const int LongestSeconds = 86_400;

    private static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();

    public object Answer(ControlRequest request)
    {
        if (request.Text("Undo") == "true")
        {
            Turn(false);
            return new ControlStream(Once(Now(0, isDone: true, leaves: false)));
        }

        var within = TimeSpan.FromSeconds(request.Number("Within", 60, 0, LongestSeconds));
        Turn(true);
        return new ControlStream(WatchAsync(within, request.Text("Leave") == "true"));
    }

    private async IAsyncEnumerable<object> WatchAsync(TimeSpan within, bool leaves, [EnumeratorCancellation] CancellationToken stop = default)
    {
        var began = Stopwatch.GetTimestamp();
        var wasLeft = (-1, -1);
        while (true)
        {
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            var left = (QueuePairs: engine.Statistics.QueuePairs, Relays: handover.Statistics.Relays);
            if (!drain.IsOn)
                throw new ControlException("the draining was taken back meanwhile");
            if (left == (0, 0))
            {
                system.Report(EventKind.RouterDrained, "Nothing is left that would break when this router ends");
                yield return Now(seconds, isDone: true, leaves);
                if (leaves)
                    leave();
                yield break;
            }

            if (left != wasLeft)
                yield return Now(seconds, isDone: false, leaves: false);
            wasLeft = left;
            if (seconds >= within.TotalSeconds)
                throw new ControlException($"{left.QueuePairs} QPs and {left.Relays} relayed connections are left after {within.TotalSeconds} s; the router goes on draining");
            await Task.Delay(s_lookEvery, stop);
        }
    }

    private static async IAsyncEnumerable<object> Once(DrainProgress progress)
    {
        await Task.CompletedTask;
        yield return progress;
    }

    private DrainProgress Now(double seconds, bool isDone, bool leaves) => new(drain.IsOn, engine.Statistics.QueuePairs, handover.Statistics.Relays, flows(), seconds, isDone, leaves);

    private void Turn(bool on)
    {
        lock (_lock)
        {
            if (drain.IsOn == on)
                return;
            drain.IsOn = on;
            handover.Drain(on);
            if (on)
                system.Report(EventKind.RouterDraining, "This router takes nothing new from now on");
            else
                system.Report(EventKind.RouterServesAgain, "This router serves again");
        }
    }
}
