using System.Globalization;
using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>What a router costs while nobody asks anything of it.</summary>
public static class RouterAtRest
{
    private const double TicksPerSecond = 100;

    /// <summary>Share of one core, in percent, over the given time.</summary>
    public static double Measure(LabHosts lab, string host, TimeSpan time)
    {
        var pid = lab.Routers.PidOf(host) ?? throw new LabException($"{host} has no router");
        var before = Ticks(pid);
        Thread.Sleep(time);
        return 100 * (Ticks(pid) - before) / TicksPerSecond / time.TotalSeconds;
    }

    // proc(5): utime and stime are the 12th and 13th field behind the name.
    private static double Ticks(int pid)
    {
        var status = File.ReadAllText($"/proc/{pid}/stat");
        var fields = status[(status.LastIndexOf(')') + 2)..].Split(' ');
        return double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture);
    }
}
