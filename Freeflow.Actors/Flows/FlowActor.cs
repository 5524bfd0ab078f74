using Akka.Actor;
using Akka.Event;
using Freeflow.Verbs.Handover;

namespace Freeflow.Actors.Flows;

/// <summary>One accelerated connection, from its announcement to the end of its socket. It is not on the connection's path.</summary>
public sealed class FlowActor : ReceiveActor
{
    private readonly AnnouncedFlow _flow;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    public FlowActor(AnnouncedFlow flow)
    {
        _flow = flow;
        Receive<FlowEvents.Closed>(_ => Context.Stop(Self));
        Receive<FlowEvents.Strayed>(strayed =>
        {
            _log.Warning(
                "Container {0}: the host socket for {1} has left its peer and is {2}; its filter lets nothing in from there",
                _flow.Container.Id, _flow.Ends, strayed.Where);
            Become(Straying);
        });
    }

    public static Props Props(AnnouncedFlow flow) => Akka.Actor.Props.Create(() => new FlowActor(flow));

    /// <summary>Said once; only its end matters still.</summary>
    private void Straying()
    {
        Receive<FlowEvents.Closed>(_ => Context.Stop(Self));
        Receive<FlowEvents.Strayed>(_ => { });
    }
}
