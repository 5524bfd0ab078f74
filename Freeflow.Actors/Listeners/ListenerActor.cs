using Akka.Actor;
using Akka.Event;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Actors.Listeners;

/// <summary>
/// One listening socket of a container, for as long as any process has its queue: the processes that inherited it may outlive the
/// one that made it. Whoever shows the socket gets the same queue, as the kernel has one for it.
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
        asker.Tell(new ListenerProtocol.Made(StreamSocket.Duplicate(_channel.ApplicationEnd)));
        plane.HandoverNews.Watch(_channel, Self);
        plane.Handover.Attach(_channel);
        _log.Debug("Container {0} listens on {1}", container.Id, socket);
        Receive<ListenerProtocol.Make>(Answer);
        Receive<ListenerEvents.Gone>(_ => BeGone(isOver: false));
        Receive<ListenerEvents.Ended>(_ => BeGone(isOver: true));
    }

    public static Props Props(ControlPlane plane, HandoverContainer container, ListeningSocket socket, int backlog, IActorRef asker) =>
        Akka.Actor.Props.Create(() => new ListenerActor(plane, container, socket, backlog, asker));

    protected override void PostStop()
    {
        _plane.HandoverNews.Forget(_channel);
        _plane.Handover.Detach(_channel);
    }

    private void Answer(ListenerProtocol.Make make)
    {
        SafeFileHandle end;
        try
        {
            end = StreamSocket.Duplicate(_channel.ApplicationEnd);
        }
        catch (ObjectDisposedException)
        {
            // It is gone, and somebody has it listen again: that is a new queue.
            BeGone(isOver: false);
            Context.Parent.Forward(make);
            return;
        }

        Sender.Tell(new ListenerProtocol.Made(end));
    }

    private void BeGone(bool isOver)
    {
        ShownState = "closed";
        Context.Parent.Tell(new ListenerProtocol.Gone(isOver));
    }
}
