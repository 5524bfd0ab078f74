using Akka.Actor;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Events;
using Freeflow.Actors.Inspection;
using Freeflow.Actors.Listeners;
using Freeflow.Actors.Policy;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Containers;

/// <summary>
/// One container: its addresses as its network namespace has them now, its device and sysfs tree made from them, one child for
/// each connection of its processes, and one for each listener that they have.
/// </summary>
public sealed class ContainerActor : ListedActor, IWithTimers, IWithUnboundedStash
{
    /// <summary>Begins the names of its listeners; those of connections begin with a number.</summary>
    internal const string ListenerPrefix = "listener-";

    private static readonly TimeSpan s_addressesWithin = TimeSpan.FromSeconds(2);

    private readonly ControlPlane _plane;
    private readonly NetworkNamespace _namespace;
    private readonly ContainerQuota _quota;
    private readonly Dictionary<long, IActorRef> _connections = [];
    private SysfsTree? _tree;
    private NamespaceWatch? _watch;
    private readonly HashSet<IActorRef> _listeners = [];

    /// <summary>Those that still listen, by their sockets' cookies.</summary>
    private readonly Dictionary<ulong, IActorRef> _listening = [];
    private ContainerDevice _device = ContainerDevice.Of(Tenant.Default, []);
    private HandoverContainer? _handover;
    private ContainerShare? _share;
    private IActorRef _connectionManager = ActorRefs.Nobody;
    private DirectoryProtocol.Granted _granted = new([]);
    private int _nextListener;
    private int _nextManager;
    private bool _isKnown;

    public ContainerActor(ControlPlane plane, NetworkNamespace @namespace)
    {
        _plane = plane;
        _namespace = @namespace;
        _quota = new ContainerQuota(plane.Limits.Container);
        ShownState = "waits for its addresses";
        AwaitingAddresses();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public IStash Stash { get; set; } = null!;

    public static Props Props(ControlPlane plane, NetworkNamespace @namespace) =>
        Akka.Actor.Props.Create(() => new ContainerActor(plane, @namespace));

    // What fails in one connection ends that one only.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    protected override void PreStart()
    {
        var self = Self;
        _tree = new SysfsTree();
        _watch = NamespaceWatch.Start(_namespace, addresses => self.Tell(new Addresses(addresses)));
        Timers.StartSingleTimer("addresses", NoAddresses.Instance, s_addressesWithin);
    }

    protected override void PostStop()
    {
        _plane.Register.Remove(_namespace.Id.ToString());
        if (_isKnown)
            Tell(EventKind.ContainerGone, "gone");
        _plane.Directory.Tell(new DirectoryProtocol.Claim(_namespace.Id.ToString(), Tenant.Default, []));
        if (_handover is not null)
            _plane.Handover.Remove(_handover);
        if (_share is not null)
            _plane.Policy.Forget(_share);
        _watch?.Dispose();
        _tree?.Dispose();
        _namespace.Dispose();
    }

    private void AwaitingAddresses()
    {
        Receive<Addresses>(addresses =>
        {
            if (_handover is null)
            {
                _handover = new HandoverContainer(_namespace.Id.ToString(), _plane.Tenants.TenantOf(_namespace, addresses.Now), new NamespaceNetwork(_namespace));
                _share = new ContainerShare(_quota, _handover);
            }

            Adopt(addresses);
        });
        Receive<DirectoryProtocol.Granted>(granted =>
        {
            // Before this a process's first connection would be one from an address that is not its own.
            Timers.Cancel("addresses");
            ManageConnections();
            Grant(granted);
            ShownState = "serving";
            Become(Serving);
            Stash.UnstashAll();
        });
        Receive<InspectionProtocol.Look>(Show);
        Receive<NoAddresses>(_ => throw new TimeoutException($"container {_namespace.Id}: its addresses were not listed in time"));
        ReceiveAny(_ => Stash.Stash());
    }

    private void Serving()
    {
        Receive<Addresses>(Adopt);
        Receive<ShimEvents.Connected>(connected =>
        {
            var connection = connected.Connection;
            var name = $"{connection.PeerPid}-{connection.Id}";
            var actor = Context.Watch(Context.ActorOf(
                ConnectionActor.Props(_plane, connection, _tree!, _handover!, _connectionManager, _quota, _device), name));
            _connections.Add(connection.Id, actor);
        });
        Receive<ShimEvents.Received>(received =>
        {
            if (_connections.TryGetValue(received.Connection.Id, out var actor))
                actor.Tell(received);
            else
                received.Request.CloseDescriptors();
        });
        Receive<ShimEvents.Closed>(closed =>
        {
            if (_connections.TryGetValue(closed.Connection.Id, out var actor))
                actor.Tell(closed);
        });
        Receive<DirectoryProtocol.Granted>(Grant);
        Receive<InspectionProtocol.Look>(Show);
        Receive<ListenerProtocol.Make>(make =>
        {
            if (_listening.TryGetValue(make.Socket.Cookie, out var known))
            {
                known.Forward(make);
                return;
            }

            var listener = Context.ActorOf(
                ListenerActor.Props(_plane, _handover!, make.Socket, make.Backlog, Sender), $"{ListenerPrefix}{make.Socket.Port}-{_nextListener++}");
            _listeners.Add(Context.Watch(listener));
            if (make.Socket.Cookie != 0)
                _listening.Add(make.Socket.Cookie, listener);
            Context.Parent.Tell(new ContainerHeld(_namespace.Id, +1));
        });
        Receive<ListenerProtocol.Gone>(gone =>
        {
            Unlist(Sender);
            if (gone.IsOver)
                Sender.Tell(PoisonPill.Instance);
        });
        Receive<Terminated>(ended =>
        {
            if (ended.ActorRef.Equals(_connectionManager))
                ManageConnections();
            if (_listeners.Remove(ended.ActorRef))
            {
                Unlist(ended.ActorRef);
                Context.Parent.Tell(new ContainerHeld(_namespace.Id, -1));
            }

            foreach (var entry in _connections.Where(entry => entry.Value.Equals(ended.ActorRef)).ToArray())
                _connections.Remove(entry.Key);
        });
    }

    private void Unlist(IActorRef listener)
    {
        foreach (var (cookie, listed) in _listening)
        {
            if (listed.Equals(listener))
                _listening.Remove(cookie);
        }
    }

    private void Show(InspectionProtocol.Look look)
    {
        var addresses = _device.Gids.Select(entry => new AddressSeen(entry.Gid.ToAddress().ToString(), entry.Interface, _granted.Addresses.Contains(entry.Gid)));
        Sender.Tell(new InspectionProtocol.Seen(
            _connections.Count,
            new ContainerSeen(_namespace.Id.ToString(), _device.Tenant.Name, [.. addresses], _handover is { IsPrivileged: true }, _listeners.Count)));
        foreach (var connection in _connections.Values)
            connection.Forward(look);
    }

    private void Grant(DirectoryProtocol.Granted granted)
    {
        _granted = granted;
        _plane.Handover.SetAddresses(_handover!, [.. granted.Addresses.Select(gid => Ipv4.From(gid.ToAddress())).OfType<Ipv4>()]);
        _connectionManager.Tell(new ConnectionManagerProtocol.Serve(granted.Addresses));
    }

    /// <summary>One that has failed is followed by another; who had to do with it has lost its connection.</summary>
    private void ManageConnections()
    {
        _connectionManager = Context.Watch(Context.ActorOf(ConnectionManagerActor.Props(_plane, _device), $"{ConnectionManagerActor.Name}-{_nextManager++}"));
        _connectionManager.Tell(new ConnectionManagerProtocol.Serve(_granted.Addresses));
    }

    private void Adopt(Addresses addresses)
    {
        _device = ContainerDevice.Of(_handover!.Tenant, addresses.Now);
        var before = _share!.Tenant;
        _plane.Policy.Settle(_share, [.. _device.Gids.Select(entry => entry.Gid)]);
        if (_isKnown && _share.Tenant != before)
            Context.ReportTenant(_share, before);
        _tree!.Publish(SysfsFiles.Of(_device));
        _plane.Register.Set(new ContainerFigures(_namespace.Id.ToString(), _handover.Tenant.Name, _device.Gids.FirstOrDefault()?.Gid.ToAddress().ToString() ?? "", _quota, _handover));
        _plane.Directory.Tell(new DirectoryProtocol.Claim(_namespace.Id.ToString(), _handover.Tenant, [.. _device.Gids.Select(entry => entry.Gid)]));
        Tell(_isKnown ? EventKind.ContainerAddresses : EventKind.ContainerSeen, string.Join(", ", _device.Gids.Select(entry => $"{entry.Gid.ToAddress()} on {entry.Interface}")));
        _isKnown = true;
        foreach (var connection in _connections.Values)
            connection.Tell(new ConnectionProtocol.DeviceChanged(_device));
        _connectionManager.Tell(new ConnectionManagerProtocol.DeviceChanged(_device));
    }

    private void Tell(EventKind kind, string what) => Context.Report(
        kind, $"Container {_namespace.Id}: {what}",
        ("container", _namespace.Id), ("tenant", _device.Tenant.Name), ("addresses", string.Join(' ', _device.Gids.Select(entry => entry.Gid.ToAddress()))));

    private sealed record Addresses(IReadOnlyList<InterfaceAddress> Now);

    /// <summary>To the parent: a listener of the container keeps it known, or does so no more.</summary>
    internal sealed record ContainerHeld(NetworkNamespaceId Container, int Change);

    private sealed class NoAddresses
    {
        public static NoAddresses Instance { get; } = new();
    }
}
