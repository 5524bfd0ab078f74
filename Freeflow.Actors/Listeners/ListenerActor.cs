using Akka.Actor;
using Akka.Event;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Handover;

namespace Freeflow.Actors.Listeners;

/// <summary>
/// One listening socket of a container, for as long as any process has it: the processes that inherited it may outlive the
/// one that made it.
/// </summary>
public sealed class ListenerActor : ListedActor
{
    private readonly ControlPlane _plane;
    private readonly DeliveryChannel _channel;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    public ListenerActor(ControlPlane plane, HandoverContainer container, ListeningSocket socket, int backlog, IActorRef asker)
    {
        _plane = plane;
        _channel = new DeliveryChannel(container, socket, backlog);
        plane.HandoverNews.Watch(_channel, Self);
        plane.Handover.Attach(_channel);
        asker.Tell(new ListenerProtocol.Made(_channel.ApplicationEnd));
        _log.Debug("Container {0} listens on {1}:{2}", container.Id, socket.Address?.ToString() ?? "*", socket.Port);
        Receive<ListenerEvents.Ended>(_ => Context.Stop(Self));
    }

    public static Props Props(ControlPlane plane, HandoverContainer container, ListeningSocket socket, int backlog, IActorRef asker) =>
        Akka.Actor.Props.Create(() => new ListenerActor(plane, container, socket, backlog, asker));

    protected override void PostStop()
    {
        _plane.HandoverNews.Forget(_channel);
        _plane.Handover.Detach(_channel);
    }
}
