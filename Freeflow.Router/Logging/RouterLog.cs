using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Freeflow.Router.Logging;

/// <summary>
/// The router's log: its standard output. Whoever logs never waits: of what nobody takes (a pipe whose reader stands still) and what finds no
/// room (a full disk) the log says afterwards how much it was.
/// </summary>
internal sealed class RouterLog
{
    private readonly LogWriter _output;

    private RouterLog()
    {
        _output = new LogWriter(Console.OpenStandardOutput(), lines => RoomAgain?.Invoke(lines));
        Console.SetOut(_output);
        Console.SetError(new LogWriter(Console.OpenStandardError(), _ => { }));
    }

    /// <summary>Called with the number of lines that were lost before, by whichever thread has written the first one that was not.</summary>
    public event Action<long>? RoomAgain;

    /// <summary>Lines that found no room.</summary>
    public long LinesLost => _output.LinesLost;

    /// <summary>Takes over the process's standard streams.</summary>
    public static RouterLog Open() => new();

    /// <param name="logging">Of the process.</param>
    /// <param name="format">json, or text.</param>
    /// <param name="level">The setting's word.</param>
    public static void Configure(ILoggingBuilder logging, string format, string level)
    {
        void Bound(ConsoleLoggerOptions console) => console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;

        if (format == "json")
        {
            logging.AddJsonConsole(console =>
            {
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
            });
        }
        else
        {
            logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss.fff ";
            });
        }

        logging.AddConsole(Bound);
        logging.SetMinimumLevel(Enum.Parse<LogLevel>(level == "info" ? "Information" : level, ignoreCase: true));
        logging.AddFilter("Microsoft", LogLevel.Warning);
    }
}
