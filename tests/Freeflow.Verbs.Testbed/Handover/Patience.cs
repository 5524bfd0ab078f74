using System.Diagnostics;

namespace Freeflow.Verbs.Testbed.Handover;

/// <summary>Waits with a bound.</summary>
public static class Patience
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(10);

    /// <summary>Throws TimeoutException, with what was waited for, when it does not come to hold.</summary>
    public static void Until(Func<bool> holds, Func<string> what)
    {
        for (var since = Stopwatch.GetTimestamp(); !holds(); Thread.Sleep(1))
        {
            if (Stopwatch.GetElapsedTime(since) > s_bound)
                throw new TimeoutException($"not within {s_bound.TotalSeconds} s: {what()}");
        }
    }

    /// <summary>Asks until there is an answer.</summary>
    public static T For<T>(Func<T?> answer, string what)
        where T : class
    {
        T? found = null;
        Until(() => (found = answer()) is not null, () => what);
        return found!;
    }
}
