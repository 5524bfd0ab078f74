using Akka.Actor;
using Akka.Event;
using Freeflow.Actors.Events;
using Microsoft.Extensions.Logging;

namespace Freeflow.Router.Events;

/// <summary>Begins the recording of events.</summary>
internal static class EventRecording
{
    /// <summary>
    /// What is reported from now on is recorded: the recorder's mailbox is subscribed here, whether or not it runs already, and stays so when it is started again.
    /// </summary>
    public static void Start(ActorSystem system, EventFeed feed, ILogger logger) =>
        system.EventStream.Subscribe<RouterEvent>(system.ActorOf(EventRecorderActor.Props(feed, logger), "events"));
}
