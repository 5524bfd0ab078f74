using Akka.Actor;
using Freeflow.Actors.Events;
using Freeflow.Actors.Roll;
using Freeflow.Router.Output;
using Microsoft.Extensions.Logging;

namespace Freeflow.Router.Events;

/// <summary>Takes the control plane's events off the event stream, into the feed and the log.</summary>
internal sealed class EventRecorderActor : ListedActor
{
    private const string Template = "{OriginalFormat}";

    public EventRecorderActor(EventFeed feed, ILogger logger) => Receive<RouterEvent>(happened =>
    {
        if (feed.Add(happened, DateTime.UtcNow) is { } recorded)
            Log(logger, happened, recorded);
    });

    public static Props Props(EventFeed feed, ILogger logger) => Akka.Actor.Props.Create(() => new EventRecorderActor(feed, logger));

    private static void Log(ILogger logger, RouterEvent happened, RecordedEvent recorded)
    {
        var level = recorded.Severity switch
        {
            "debug" => LogLevel.Debug,
            "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            _ => LogLevel.Information,
        };
        if (!logger.IsEnabled(level))
            return;
        var line = Printable.Of(recorded.Text) + (recorded.Unrecorded > 0 ? $" ({recorded.Unrecorded} such events before are not shown)" : "");
        var state = new List<KeyValuePair<string, object?>>(happened.Facts.Count + 1);
        foreach (var (name, value) in happened.Facts)
            state.Add(new(name, value));
        state.Add(new(Template, line));
        logger.Log(level, new EventId(recorded.Id, recorded.Name), state, null, (_, _) => line);
    }
}
