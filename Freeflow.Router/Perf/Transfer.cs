using System.Diagnostics;
using System.Threading.Channels;
using Freeflow.Router.Control;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Measuring;

namespace Freeflow.Router.Perf;

/// <summary>Writes from one device to another, first one by one, then as many as there may be. Blocks its thread.</summary>
internal sealed class Transfer(MeasuringDevice device, uint remoteKey, int size, TimeSpan time, ChannelWriter<PerfAnswer> progress, string from, string to)
{
    private const int Probes = 2000;
    private const int ProbeBytes = 2;

    private static readonly TimeSpan s_probesWithin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_answersWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_tellEvery = TimeSpan.FromMilliseconds(250);

    public void Run(CancellationToken stop)
    {
        var times = Probe(stop);
        var (median, p99) = (times[times.Count / 2], times[(int)((times.Count - 1) * 0.99)]);
        var began = Stopwatch.GetTimestamp();
        var (told, done, posted) = (TimeSpan.Zero, 0L, 0L);
        PerfAnswer Now(bool isDone)
        {
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            return new PerfAnswer(from, to, seconds, done * size, done * size / seconds, done / seconds, median, p99, isDone);
        }

        while (Stopwatch.GetElapsedTime(began) is var elapsed && elapsed < time && !stop.IsCancellationRequested)
        {
            while (device.TryWrite(remoteKey, size))
                posted++;
            Await();
            done++;
            if (elapsed - told < s_tellEvery)
                continue;
            told = elapsed;
            progress.TryWrite(Now(isDone: false));
        }

        for (; done < posted; done++)
            Await();
        progress.TryWrite(Now(isDone: true));
    }

    private List<double> Probe(CancellationToken stop)
    {
        var times = new List<double>(Probes);
        for (var began = Stopwatch.GetTimestamp(); times.Count < Probes && (times.Count == 0 || Stopwatch.GetElapsedTime(began) < s_probesWithin);)
        {
            stop.ThrowIfCancellationRequested();
            var at = Stopwatch.GetTimestamp();
            device.TryWrite(remoteKey, Math.Min(ProbeBytes, size));
            Await();
            times.Add(Stopwatch.GetElapsedTime(at).TotalMicroseconds);
        }

        times.Sort();
        return times;
    }

    private void Await()
    {
        var began = Stopwatch.GetTimestamp();
        WorkCompletionStatus status;
        while (!device.TryTake(out status))
        {
            if (Stopwatch.GetElapsedTime(began) > s_answersWithin)
                throw new ControlException($"a WRITE has not completed within {s_answersWithin.TotalSeconds} s");
            Thread.Yield();
        }

        if (status != WorkCompletionStatus.Success)
            throw new ControlException($"a WRITE has failed: {status}");
    }
}
