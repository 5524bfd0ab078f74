using System.Diagnostics;
using System.Globalization;

namespace Freeflow.Lab;

/// <summary>
/// Waits for what must come true, each time with a bound. Bounds are written for this machine with little else to do; where everything
/// takes longer, as under CI or in a virtual machine, one factor lengthens them all.
/// </summary>
public static class WaitFor
{
    /// <summary>The environment variable with the factor: a number from 1 to 100.</summary>
    public const string PatienceVariable = "FREEFLOW_PATIENCE";

    private static readonly TimeSpan s_usual = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(50);

    /// <summary>How many times as long as usual everything may take.</summary>
    public static double Patience { get; } =
        double.TryParse(Environment.GetEnvironmentVariable(PatienceVariable), CultureInfo.InvariantCulture, out var given) && given is >= 1 and <= 100 ? given : 1;

    /// <summary>A bound of a wait that isn't one of these, on this machine.</summary>
    public static TimeSpan Scaled(TimeSpan usual) => usual * Patience;

    /// <inheritdoc cref="That(string, TimeSpan, Func{bool}, Func{string})"/>
    public static void That(string what, Func<bool> holds, Func<string>? found = null) => That(what, s_usual, holds, found);

    /// <summary>Throws LateException, with what was waited for and what was found instead, when it does not come to hold.</summary>
    /// <param name="what">What is waited for.</param>
    /// <param name="bound">How long it may take; scaled here.</param>
    /// <param name="holds">Whether it is so.</param>
    /// <param name="found">What is so instead, for the message.</param>
    public static void That(string what, TimeSpan bound, Func<bool> holds, Func<string>? found = null)
    {
        var wait = new Waiting(what, Scaled(bound), found);
        while (!holds())
            Thread.Sleep(wait.Pause());
    }

    /// <inheritdoc cref="ThatAsync(string, TimeSpan, Func{bool}, Func{string})"/>
    public static Task ThatAsync(string what, Func<bool> holds, Func<string>? found = null) => ThatAsync(what, s_usual, holds, found);

    /// <inheritdoc cref="That(string, TimeSpan, Func{bool}, Func{string})"/>
    public static Task ThatAsync(string what, TimeSpan bound, Func<bool> holds, Func<string>? found = null) =>
        ThatAsync(what, bound, () => Task.FromResult(holds()), found);

    /// <inheritdoc cref="That(string, TimeSpan, Func{bool}, Func{string})"/>
    public static async Task ThatAsync(string what, TimeSpan bound, Func<Task<bool>> holds, Func<string>? found = null)
    {
        var wait = new Waiting(what, Scaled(bound), found);
        while (!await holds().ConfigureAwait(false))
            await Task.Delay(wait.Pause()).ConfigureAwait(false);
    }

    /// <summary>Asks until there is an answer; throws as <see cref="That(string, TimeSpan, Func{bool}, Func{string})"/> does.</summary>
    public static T Answer<T>(string what, Func<T?> answer)
        where T : class
    {
        T? found = null;
        That(what, () => (found = answer()) is not null);
        return found!;
    }

    private sealed class Waiting(string what, TimeSpan bound, Func<string>? found)
    {
        private readonly long _since = Stopwatch.GetTimestamp();
        private TimeSpan _pause = TimeSpan.FromMilliseconds(1);

        /// <summary>How long until the next look: ever longer, as what has not come soon comes late.</summary>
        public TimeSpan Pause()
        {
            if (Stopwatch.GetElapsedTime(_since) > bound)
                throw new LateException($"not within {bound.TotalSeconds} s: {what}{(found is null ? "" : "; found: " + found())}");
            var pause = _pause;
            _pause = TimeSpan.FromTicks(Math.Min(2 * _pause.Ticks, s_longestPause.Ticks));
            return pause;
        }
    }
}
