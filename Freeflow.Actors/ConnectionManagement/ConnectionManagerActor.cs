using Akka.Actor;
using Akka.Event;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Roll;
using Freeflow.Actors.Tracing;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.ConnectionManagement;

/// <summary>
/// The connection manager of one container, as the kernel has one for each network namespace: the ids of all its processes, which
/// of their rdma_cm descriptors each belongs to, and the events that wait there. Each id is an actor below it.
/// </summary>
public sealed partial class ConnectionManagerActor : ListedActor
{
    /// <summary>Its name below the container's actor.</summary>
    public const string Name = "cm";

    private readonly ControlPlane _plane;
    private readonly PortTable _ports = new();
    private readonly EventBudget _events = new();
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<IActorRef, EventQueue> _queues = [];
    private readonly Dictionary<IActorRef, Identifier> _byActor = [];
    private readonly Dictionary<IActorRef, Identifier> _byAsker = [];
    private readonly HandleTable<Identifier> _ids;
    private readonly HandleTable<Group> _groups;
    private ContainerDevice _device;

    public ConnectionManagerActor(ControlPlane plane, ContainerDevice device)
    {
        _plane = plane;
        _device = device;
        _ids = new(plane.Limits.CommunicationIds);
        _groups = new(plane.Limits.CommunicationIds);
        Receive<ConnectionManagerProtocol.Open>(open => _queues.Add(Context.Watch(Sender), new EventQueue(Sender, open.Signal, _events)));
        Receive<ConnectionManagerProtocol.Call>(Serve);
        Receive<ConnectionManagerProtocol.Raise>(Raise);
        Receive<ConnectionManagerProtocol.Joined>(Conclude);
        Receive<ConnectionManagerProtocol.Incoming>(BeAsked);
        Receive<ConnectionManagerProtocol.DeviceChanged>(changed =>
        {
            _device = changed.Device;
            foreach (var actor in _byActor.Keys)
                actor.Tell(changed);
        });
        Receive<ConnectionManagerProtocol.Serve>(serve => _plane.Exchange.Tell(new ExchangeActor.Serve(
            Self, [.. serve.Addresses.Select(address => TenantAddress.Of(_device.Tenant, address))])));
        Receive<Terminated>(ended => End(ended.ActorRef));
    }

    public static Props Props(ControlPlane plane, ContainerDevice device) =>
        Akka.Actor.Props.Create(() => new ConnectionManagerActor(plane, device));

    // A defect in one id ends the connection that has it, as with every object of a connection.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(error =>
    {
        _log.Error(error, "Connection manager: a defect in {0}", Sender.Path.Name);
        return Directive.Stop;
    });

    private void End(IActorRef ended)
    {
        if (_queues.Remove(ended, out var queue))
        {
            // All at once: each of its ids would look through all of it.
            queue.Withdraw(_ => true);
            foreach (var owned in _byActor.Values.Where(id => id.Queue == queue).ToArray())
                Destroy(owned);
        }
        else if (_byActor.TryGetValue(ended, out var broken))
        {
            broken.Queue.Connection.Tell(ConnectionProtocol.Broken.Instance);
        }
    }

    private void Serve(ConnectionManagerProtocol.Call call)
    {
        if (!_queues.TryGetValue(Sender, out var queue))
        {
            Sender.Tell(ConnectionProtocol.Answer.Error(Errno.EIO));
            return;
        }

        if (!RdmaCmIds.IsForTheManager(call.Command.Command))
        {
            Pass(queue, call);
            return;
        }

        var span = ControlTrace.Call(call.Command.Command, call.Origin);
        var answer = call.Command.Command switch
        {
            RdmaCmCommand.CreateId => CreateId(queue, call.Command),
            RdmaCmCommand.DestroyId => DestroyId(queue, call.Command),
            RdmaCmCommand.GetEvent => GetEvent(queue, call.Command),
            RdmaCmCommand.MigrateId => MigrateId(queue, call),
            RdmaCmCommand.JoinIpMcast or RdmaCmCommand.JoinMcast => Join(queue, call.Command, span),
            RdmaCmCommand.LeaveMcast => LeaveGroup(queue, call.Command),
            _ => ConnectionProtocol.Answer.Error(Errno.ENOSYS),
        };
        if (answer is null)
            return;
        span.End(answer.Errno);
        Sender.Tell(answer);
    }

    /// <summary>To the id that the command names, which answers.</summary>
    private void Pass(EventQueue queue, ConnectionManagerProtocol.Call call)
    {
        Identifier? id = null;
        var found = RdmaCmIds.TryRead(call.Command, out var number) ? Find(queue, number, out id) : Errno.EINVAL;
        if (found == 0 && queue.IsFull && RdmaCmIds.LeadsToEvents(call.Command.Command))
            found = Errno.ENOMEM;
        if (found != 0)
        {
            ControlTrace.Call(call.Command.Command, call.Origin).End(found);
            Sender.Tell(ConnectionProtocol.Answer.Error(found));
            return;
        }

        if (call.Command.Command == RdmaCmCommand.Listen && call.Command.TryRead<ListenCommand>(out var listen))
            id!.Backlog = listen.Backlog is > 0 and <= MaximumBacklog ? (int)listen.Backlog : MaximumBacklog;
        id!.Actor.Forward(call);
    }

    /// <summary>0, or the errno that the kernel gives for a number that is nobody's, or another descriptor's.</summary>
    private int Find(EventQueue queue, uint number, out Identifier? id)
    {
        if (!_ids.TryGet(number, out id))
            return Errno.ENOENT;
        return id.Queue == queue ? 0 : Errno.EINVAL;
    }
}
