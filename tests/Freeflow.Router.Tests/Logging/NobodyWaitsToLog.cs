using Freeflow.Lab;
using Freeflow.Router.Logging;
using Microsoft.Extensions.Logging;

namespace Freeflow.Router.Tests.Logging;

/// <summary>A log that nobody reads, so that writing it stands still.</summary>
public sealed class NobodyWaitsToLog
{
    private const int Lines = 20_000;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public async Task AndWhatWasLostIsSaidAfterwards(string format)
    {
        using var gate = new ManualResetEventSlim();
        var (output, errors) = (new HeldWriter(gate), new HeldWriter(gate));
        var factory = WithConsole(output, errors, () => LoggerFactory.Create(logging => RouterLog.Configure(logging, format, "info")));
        var logger = factory.CreateLogger("test");
        await Task.Run(() =>
        {
            for (var line = 0; line < Lines; line++)
                logger.LogInformation("line {Number}", line);
        }).WaitAsync(WaitFor.Scaled(s_bound));
        gate.Set();
        await WaitFor.ThatAsync("the report of what was dropped", s_bound, () =>
        {
            // It is said before the next line that finds room.
            logger.LogInformation("another line");
            return errors.Text.Contains("message(s) dropped", StringComparison.Ordinal);
        });
        factory.Dispose();
        Assert.InRange(output.Text.Split('\n').Length, 1000, Lines - 1);
    }

    private static T WithConsole<T>(TextWriter output, TextWriter errors, Func<T> act)
    {
        var (before, errorsBefore) = (Console.Out, Console.Error);
        Console.SetOut(output);
        Console.SetError(errors);
        try
        {
            return act();
        }
        finally
        {
            Console.SetOut(before);
            Console.SetError(errorsBefore);
        }
    }

    private sealed class HeldWriter(ManualResetEventSlim gate) : StringWriter
    {
        public string Text
        {
            get
            {
                lock (gate)
                    return ToString();
            }
        }

        public override void Write(string? value)
        {
            gate.Wait();
            lock (gate)
                base.Write(value);
        }
    }
}
