using System.Runtime.CompilerServices;
using Akka.Actor;
using Akka.Event;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Events;
using Freeflow.Actors.Tracing;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.ConnectionManagement;

// Ids and groups come, go and change their descriptor; events are added and taken.
public sealed partial class ConnectionManagerActor
{
    /// <summary>The kernel's bound for a listener's backlog (net.rdma_ucm.max_backlog).</summary>
    private const int MaximumBacklog = 1024;

    private ConnectionProtocol.Answer CreateId(EventQueue queue, RdmaCmCall call)
    {
        if (call.Room < Unsafe.SizeOf<CreateIdResponse>())
            return ConnectionProtocol.Answer.Error(Errno.ENOSPC);
        if (!call.TryRead<CreateIdCommand>(out var command) || TypeOf(command) is not { } type)
            return ConnectionProtocol.Answer.Error(Errno.EINVAL);
        if (!_ids.HasRoom)
            return ConnectionProtocol.Answer.Error(Errno.ENOMEM);
        var id = Add(queue, command.Uid, number => CommunicationIdActor.Props(
            new CommunicationIdSpec(_plane, _ports, _device, number, command.Uid, command.Ps, type)));
        return new ConnectionProtocol.Answer(0, call.Respond(new CreateIdResponse { Id = id.Number }));
    }

    private static QueuePairType? TypeOf(in CreateIdCommand command) => command.Ps switch
    {
        PortSpace.Tcp => QueuePairType.ReliableConnection,
        PortSpace.Udp or PortSpace.Ipoib => QueuePairType.UnreliableDatagram,
        PortSpace.Ib => (QueuePairType)command.QpType,
        _ => null,
    };

    private Identifier Add(EventQueue queue, ulong uid, Func<uint, Props> props, IActorRef? asker = null)
    {
        var actor = Context.Watch(Context.ActorOf(props(_ids.NextHandle), $"id-{_nextName++}"));
        var id = new Identifier(_ids.NextHandle, uid, actor, queue) { Asker = asker };
        _ids.Add(id);
        _byActor.Add(actor, id);
        if (asker is not null)
            _byAsker.Add(asker, id);
        return id;
    }

    private ConnectionProtocol.Answer DestroyId(EventQueue queue, RdmaCmCall call)
    {
        if (call.Room < Unsafe.SizeOf<DestroyIdResponse>())
            return ConnectionProtocol.Answer.Error(Errno.ENOSPC);
        if (!call.TryRead<DestroyIdCommand>(out var command))
            return ConnectionProtocol.Answer.Error(Errno.EINVAL);
        var found = Find(queue, command.Id, out var id);
        if (found != 0)
            return ConnectionProtocol.Answer.Error(found);
        if (command.Patience == ShimProtocol.Patient && queue.HasYoung(id!))
            return ConnectionProtocol.Answer.Error(Errno.EAGAIN);
        Destroy(id!);
        return new ConnectionProtocol.Answer(0, call.Respond(new DestroyIdResponse { EventsReported = id!.Reported }));
    }

    private void Destroy(Identifier id)
    {
        if (!_byActor.Remove(id.Actor))
            return;
        _ids.Remove(id.Number);
        if (id.Asker is not null)
            _byAsker.Remove(id.Asker);
        foreach (var group in id.Groups)
            _groups.Remove(group.Number);
        Context.Unwatch(id.Actor);
        Context.Stop(id.Actor);
        // Its actor may end after the application has been answered, which may want the port at once.
        _ports.ReleaseOf(id.Number);
        // Requests that nobody has taken yet are nobody's now.
        foreach (var waiting in id.Queue.Withdraw(waiting => waiting.Owner == id || waiting.Asking == id))
        {
            if (waiting.Asking is { } asking && asking != id)
                Destroy(asking);
        }
    }

    private void Raise(ConnectionManagerProtocol.Raise raised)
    {
        if (!_byActor.TryGetValue(Sender, out var id))
            return;
        Group? group = null;
        if (raised.Group is { } number && (!_groups.TryGet(number, out group) || group.Owner != id))
            return;
        if (id.Queue.IsFull)
            Context.Report(EventKind.ConnectionEventLost, $"Connection manager: event {raised.Event.Event} is lost, the application does not read its events");
        else
            id.Queue.Add(new WaitingEvent(id, raised.Event, Group: group));
    }

    private static ConnectionProtocol.Answer GetEvent(EventQueue queue, RdmaCmCall call)
    {
        // Older libraries have no room for what was added at the end.
        var atLeast = Unsafe.SizeOf<RdmaCmEventResponse>() - Unsafe.SizeOf<EnhancedConnection>() - sizeof(uint);
        if (call.Room < atLeast)
            return ConnectionProtocol.Answer.Error(Errno.ENOSPC);
        if (!call.TryRead<GetEventCommand>(out _))
            return ConnectionProtocol.Answer.Error(Errno.EINVAL);
        if (queue.Take() is not { } waiting)
            return ConnectionProtocol.Answer.Error(Errno.EAGAIN);
        waiting.Owner.Reported++;
        if (waiting.Group is { } group)
            group.Reported++;
        if (waiting.Asking is not null)
            waiting.Owner.Backlog++;
        return new ConnectionProtocol.Answer(0, call.Respond(waiting.Event));
    }

    private ConnectionProtocol.Answer MigrateId(EventQueue queue, ConnectionManagerProtocol.Call call)
    {
        if (!call.Command.TryRead<MigrateIdCommand>(out var command) || call.Command.Room < Unsafe.SizeOf<MigrateIdResponse>())
            return ConnectionProtocol.Answer.Error(Errno.EINVAL);
        var from = _queues.Values.FirstOrDefault(other => other.Signal.Identity == call.Other);
        var found = call.Other is null ? Errno.ENOENT : from is null ? Errno.EINVAL : Find(from, command.Id, out _);
        if (found != 0)
            return ConnectionProtocol.Answer.Error(found);
        _ids.TryGet(command.Id, out var id);
        id!.Queue = queue;
        if (from != queue)
        {
            foreach (var waiting in from!.Withdraw(waiting => waiting.Owner == id))
            {
                // An id that was made for a request goes with it.
                if (waiting.Asking is { } asking)
                    asking.Queue = queue;
                queue.Add(waiting);
            }
        }

        return new ConnectionProtocol.Answer(0, call.Command.Respond(new MigrateIdResponse { EventsReported = id.Reported }));
    }

    /// <summary>Null when the id answers.</summary>
    private ConnectionProtocol.Answer? Join(EventQueue queue, RdmaCmCall call, ControlSpan span)
    {
        var errno = 0;
        Identifier? id = null;
        if (!CommunicationIdActor.TryReadJoin(call, out var uid, out var number, out var address))
            errno = Errno.EINVAL;
        else if (call.Room < Unsafe.SizeOf<CreateIdResponse>())
            errno = Errno.ENOSPC;
        else if ((errno = Find(queue, number, out id)) == 0 && (!_groups.HasRoom || queue.IsFull))
            errno = Errno.ENOMEM;
        else if (errno == 0)
        {
            var group = new Group(id!);
            group.Number = _groups.Add(group);
            id!.Groups.Add(group);
            id.Actor.Tell(new ConnectionManagerProtocol.Join(group.Number, uid, address, Sender, span));
            return null;
        }

        return ConnectionProtocol.Answer.Error(errno);
    }

    private void Conclude(ConnectionManagerProtocol.Joined joined)
    {
        if (joined.Errno != 0 && _groups.TryGet(joined.Join.Group, out var group) && group.Owner.Groups.Remove(group))
            _groups.Remove(group.Number);
        joined.Join.Span.End(joined.Errno);
        var response = joined.Errno == 0 ? BitConverter.GetBytes(joined.Join.Group) : [];
        joined.Join.Asker.Tell(new ConnectionProtocol.Answer(joined.Errno, response));
    }

    private ConnectionProtocol.Answer LeaveGroup(EventQueue queue, RdmaCmCall call)
    {
        if (call.Room < Unsafe.SizeOf<DestroyIdResponse>())
            return ConnectionProtocol.Answer.Error(Errno.ENOSPC);
        if (!call.TryRead<DestroyIdCommand>(out var command))
            return ConnectionProtocol.Answer.Error(Errno.EINVAL);
        if (!_groups.TryGet(command.Id, out var group))
            return ConnectionProtocol.Answer.Error(Errno.ENOENT);
        if (group.Owner.Queue != queue)
            return ConnectionProtocol.Answer.Error(Errno.EINVAL);
        _groups.Remove(group.Number);
        group.Owner.Groups.Remove(group);
        queue.Withdraw(waiting => waiting.Group == group);
        return new ConnectionProtocol.Answer(0, call.Respond(new DestroyIdResponse { EventsReported = group.Reported }));
    }
}
