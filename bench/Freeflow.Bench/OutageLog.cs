using System.Diagnostics;
using System.Globalization;
using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>What bench/outage.c writes down: when its work goes on and when it has ended, in seconds of the kernel's monotonic clock.</summary>
public sealed class OutageLog
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(10);

    public OutageLog(string path)
    {
        Path = path;
        File.WriteAllText(path, "");
    }

    public string Path { get; }

    /// <summary>By the clock of the log: that of .NET's stopwatch is the kernel's.</summary>
    public static double Now => Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;

    /// <summary>Waits for the first line of its kind after a time; returns that of the line.</summary>
    public double Await(string what, double after)
    {
        double? found = null;
        AwaitThat($"\"{what}\"", () => (found = Lines().Where(line => line.What == what && line.Time > after).Select(line => (double?)line.Time).FirstOrDefault()) is not null);
        return found!.Value;
    }

    /// <summary>Waits until work goes on, if it does not.</summary>
    public void AwaitWork() => AwaitThat("work", () => Lines().LastOrDefault().What == "up");

    private void AwaitThat(string what, Func<bool> holds)
    {
        var until = Now + s_bound.TotalSeconds;
        while (!holds())
        {
            if (Now > until)
                throw new LabException($"no {what} within {s_bound.TotalSeconds} s; what there was:\n{File.ReadAllText(Path)}");
            Thread.Sleep(s_lookEvery);
        }
    }

    // A line that is being written has no end yet.
    private List<(string What, double Time)> Lines() =>
    [
        .. File.ReadAllText(Path).Split('\n')[..^1].Select(line => line.Split(' ')).Select(words => (words[0], double.Parse(words[1], CultureInfo.InvariantCulture))),
    ];
}
