using System.Diagnostics;
using System.Globalization;

namespace Freeflow.Bench;

/// <summary>The machine's processor time: that of containers, kernel and routers together, since nobody of them pays alone.</summary>
public static class CpuClock
{
    private const double TicksPerSecond = 100;

    /// <summary>Seconds of processor time that <paramref name="work"/> takes beyond what an idle time of the same length does.</summary>
    public static double Over(Action work)
    {
        var clock = Stopwatch.StartNew();
        var from = Busy();
        work();
        var spent = Busy() - from;
        var length = clock.Elapsed;
        from = Busy();
        Thread.Sleep(length);
        return spent - (Busy() - from);
    }

    // proc(5): user, nice, system, idle, iowait, irq, softirq, of all cores.
    private static double Busy()
    {
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1)
            .Select(word => double.Parse(word, CultureInfo.InvariantCulture)).ToArray();
        return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / TicksPerSecond;
    }
}
