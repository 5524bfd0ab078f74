using Akka.Actor;
using Freeflow.Actors.Events;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Handover;

namespace Freeflow.Actors.Flows;

/// <summary>One accelerated connection, from its announcement to the end of its socket. It is not on the connection's path.</summary>
public sealed class FlowActor : ListedActor
{
    private readonly AnnouncedFlow _flow;

    public FlowActor(AnnouncedFlow flow)
    {
        _flow = flow;
        Receive<FlowEvents.Closed>(_ => Context.Stop(Self));
        Receive<FlowEvents.Strayed>(strayed =>
        {
            Context.Report(
                EventKind.FlowStrayed,
                $"Container {_flow.Container.Id}: the host socket for {_flow.Ends} has left its peer and is {strayed.Where}; its filter lets nothing in from there",
                ("container", _flow.Container.Id), ("tenant", _flow.Container.Tenant.Name), ("flow", _flow.Ends), ("where", strayed.Where));
            ShownState = "strayed";
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
