using Akka.Actor;
using Akka.Event;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Flows;

/// <summary>
/// The accelerated connections that this host's containers have begun: a child for each that lives longer than a moment. The
/// kernel's own list of sockets tells which are still there, since a handed-over socket is closed without a word.
/// </summary>
public sealed class FlowsActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(2);

    private readonly FlowQueue _begun;
    private readonly HandoverLoop _handover;
    private readonly Dictionary<ushort, (IActorRef Actor, AnnouncedFlow Flow, bool HasStrayed)> _flows = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private bool _looking;

    public FlowsActor(FlowQueue begun, HandoverLoop handover)
    {
        _begun = begun;
        _handover = handover;
        Receive<LookAround>(_ => Look());
        Receive<List<HostConnection>>(Compare);
        Receive<Status.Failure>(failure =>
        {
            _looking = false;
            _log.Warning("The kernel does not list its sockets: {0}", failure.Cause.Message);
        });
        Receive<FlowEvents.Noticed>(noticed => _log.Info("TCP mode: {0}", noticed.What));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(FlowQueue begun, HandoverLoop handover) => Akka.Actor.Props.Create(() => new FlowsActor(begun, handover));

    protected override void PreStart() => Timers.StartPeriodicTimer("look", LookAround.Instance, s_lookEvery);

    private void Look()
    {
        if (_looking || (_begun.IsEmpty && _flows.Count == 0))
            return;
        _looking = true;
        Task.Run(SocketDiagnostics.Connections).PipeTo(Self);
    }

    private void Compare(List<HostConnection> present)
    {
        _looking = false;
        var byPort = present.ToLookup(connection => connection.LocalPort);
        foreach (var (port, entry) in _flows.ToArray())
        {
            if (!byPort.Contains(port))
            {
                entry.Actor.Tell(FlowEvents.Closed.Instance);
                _flows.Remove(port);
            }
            else if (!entry.HasStrayed && WhereElse(entry.Flow, byPort[port]) is { } where)
            {
                _handover.Statistics.CountStrayed();
                entry.Actor.Tell(new FlowEvents.Strayed(where));
                _flows[port] = entry with { HasStrayed = true };
            }
        }

        while (_begun.TryTake(out var flow))
        {
            // What has ended within the moment leaves nothing to supervise.
            var port = (ushort)flow.HostPort;
            if (!byPort.Contains(port) || _flows.ContainsKey(port))
                continue;
            var actor = Context.ActorOf(FlowActor.Props(flow));
            _flows.Add(port, (actor, flow, false));
        }
    }

    /// <summary>Where a flow's socket is, if it is not where it should be.</summary>
    private static string? WhereElse(in AnnouncedFlow flow, IEnumerable<HostConnection> sockets)
    {
        foreach (var socket in sockets)
        {
            if (socket.Peer == flow.PeerAddress && socket.PeerPort == flow.PeerPort)
                return null;
        }

        var other = sockets.First();
        return other.Peer.Network == 0 ? $"listening on {other.Local}:{other.LocalPort}" : $"connected to {other.Peer}:{other.PeerPort}";
    }

    private sealed class LookAround
    {
        public static LookAround Instance { get; } = new();
    }
}
