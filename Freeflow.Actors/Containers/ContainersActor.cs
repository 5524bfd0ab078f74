using Akka.Actor;
using Freeflow.Actors.Events;
using Freeflow.Actors.Inspection;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Containers;

namespace Freeflow.Actors.Containers;

/// <summary>
/// The containers of this host: one child for each network namespace that a shim has connected from. It is kept for a
/// while after its last connection, since programs look at the device before they open it.
/// </summary>
public sealed class ContainersActor : ListedActor, IWithTimers, IWithUnboundedStash
{
    private static readonly TimeSpan s_betweenRefusals = TimeSpan.FromSeconds(1);

    private readonly Func<NetworkNamespace, Props> _propsOf;
    private readonly TimeSpan _linger;
    private readonly Dictionary<NetworkNamespaceId, Container> _containers = [];
    private TimeSpan? _lastRefusal;
    private int _refusalsUnsaid;

    public ContainersActor(Func<NetworkNamespace, Props> propsOf, TimeSpan linger)
    {
        _propsOf = propsOf;
        _linger = linger;

        // The actor that ends still has to give its addresses back: who comes meanwhile would lose them with it.
        Receive<ShimEvents.IOfConnection>(news => IsEnding(news.Connection), _ => Stash.Stash());
        Receive<ShimEvents.Connected>(connected => Connect(connected));
        Receive<ShimEvents.Received>(received =>
        {
            if (_containers.TryGetValue(received.Connection.Namespace.Id, out var container))
                container.Actor.Tell(received);
            else
                received.Request.CloseDescriptors();
        });
        Receive<ShimEvents.Closed>(Close);
        Receive<Linger>(lingered =>
        {
            if (_containers.TryGetValue(lingered.Container, out var container) && container is { Open: 0, IsEnding: false })
            {
                container.IsEnding = true;
                Context.Stop(container.Actor);
            }
        });
        Receive<ContainerActor.ContainerHeld>(held =>
        {
            // Processes that inherited a listener may have no connection of their own.
            if (_containers.TryGetValue(held.Container, out var container) && container.Actor.Equals(Sender) && (container.Open += held.Change) == 0)
                Timers.StartSingleTimer(held.Container, new Linger(held.Container), _linger);
        });
        Receive<ShimEvents.Refused>(Refuse);
        Receive<InspectionProtocol.Look>(look =>
        {
            // One that ends does not answer, and would be waited for.
            var all = _containers.Values.Where(container => !container.IsEnding).ToList();
            Sender.Tell(new InspectionProtocol.Seen(all.Count));
            foreach (var container in all)
                container.Actor.Forward(look);
        });
        Receive<Terminated>(ended =>
        {
            foreach (var entry in _containers.Where(entry => entry.Value.Actor.Equals(ended.ActorRef)).ToArray())
            {
                _containers.Remove(entry.Key);

                // Those that its actor had not come to wait for an answer.
                foreach (var connection in entry.Value.Connections)
                    connection.Close("its container's actor has ended");
            }

            Stash.UnstashAll();
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public IStash Stash { get; set; } = null!;

    /// <param name="plane">What all share.</param>
    /// <param name="linger">How long a container is kept after its last connection.</param>
    public static Props Props(ControlPlane plane, TimeSpan linger) => Props(@namespace => ContainerActor.Props(plane, @namespace), linger);

    internal static Props Props(Func<NetworkNamespace, Props> propsOf, TimeSpan linger) =>
        Akka.Actor.Props.Create(() => new ContainersActor(propsOf, linger));

    // A container whose actor fails loses its connections; its programs see the device go, and may open it again.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private bool IsEnding(ShimConnection connection) => _containers.TryGetValue(connection.Namespace.Id, out var container) && container.IsEnding;

    private void Connect(ShimEvents.Connected connected)
    {
        var connection = connected.Connection;
        if (connection.Namespace.IsOwn)
        {
            Context.Report(
                EventKind.ConnectionRefused, $"Shim refused: pid {connection.PeerPid} is in the router's own network namespace, so it is no container", ("pid", connection.PeerPid));
            connection.Close("the router's own network namespace is no container");
            return;
        }

        if (!_containers.TryGetValue(connection.Namespace.Id, out var container))
        {
            // An actor that has just stopped may still hold its name.
            var name = $"{connection.Namespace.Id}-{connection.Id}";
            NetworkNamespace held;
            try
            {
                held = connection.Namespace.Duplicate();
            }
            catch (IOException problem)
            {
                Context.Report(
                    EventKind.ContainerRefused, $"Container {connection.Namespace.Id} can't be served: {problem.Message}", ("container", connection.Namespace.Id));
                connection.Close("the router has no descriptor for its container");
                return;
            }

            container = new Container(Context.Watch(Context.ActorOf(_propsOf(held), name)));
            _containers.Add(connection.Namespace.Id, container);
        }

        container.Open++;
        container.Connections.Add(connection);
        container.Actor.Tell(connected);
    }

    private void Close(ShimEvents.Closed closed)
    {
        var id = closed.Connection.Namespace.Id;

        // The actor that knew it may have failed, and another serves the container by now.
        if (_containers.TryGetValue(id, out var container) && container.Connections.Remove(closed.Connection))
        {
            container.Actor.Tell(closed);
            if (--container.Open == 0)
                Timers.StartSingleTimer(id, new Linger(id), _linger);
        }

        closed.Connection.Namespace.Dispose();
    }

    /// <summary>A container that knocks a thousand times a second must not fill the log.</summary>
    private void Refuse(ShimEvents.Refused refused)
    {
        var now = Context.System.Scheduler.MonotonicClock;
        if (_lastRefusal is { } last && now - last < s_betweenRefusals)
        {
            _refusalsUnsaid++;
            return;
        }

        Context.Report(EventKind.ConnectionRefused, $"Shim refused: {refused.Reason}; {_refusalsUnsaid} refusals before it are not shown");
        _lastRefusal = now;
        _refusalsUnsaid = 0;
    }

    private sealed class Container(IActorRef actor)
    {
        public IActorRef Actor { get; } = actor;

        public HashSet<ShimConnection> Connections { get; } = [];

        /// <summary>Connections and listeners that have come and not gone.</summary>
        public int Open { get; set; }

        /// <summary>Its actor was told to end; the next one gets what comes meanwhile.</summary>
        public bool IsEnding { get; set; }
    }

    private sealed record Linger(NetworkNamespaceId Container);
}

/// <summary>Hands the listener's news to the actors.</summary>
public sealed class ShimNews(IActorRef containers) : IShimListenerEvents
{
    public void Connected(ShimConnection connection) => containers.Tell(new ShimEvents.Connected(connection));

    public void Received(ShimConnection connection, ShimRequest request) =>
        containers.Tell(new ShimEvents.Received(connection, request));

    public void Closed(ShimConnection connection, string reason) => containers.Tell(new ShimEvents.Closed(connection, reason));

    public void Refused(string reason) => containers.Tell(new ShimEvents.Refused(reason));
}
