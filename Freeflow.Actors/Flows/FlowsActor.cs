using Akka.Actor;
using Akka.Event;
using Freeflow.Actors.Events;
using Freeflow.Actors.Policy;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Handover.Pacing;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Flows;

/// <summary>
/// The accelerated connections that this host's containers have begun: a child for each that lives longer than a moment. The
/// kernel's own list of sockets tells which are still there, since a handed-over socket is closed without a word; by its cookie,
/// since another socket may have its port by then. What the policy allows no more, begun here or come here, is reset.
/// </summary>
public sealed partial class FlowsActor : ListedActor, IWithTimers
{
    private readonly FlowQueue<AnnouncedFlow> _begun;
    private readonly HandoverStatistics _statistics;
    private readonly TimeSpan _lookEvery;
    private readonly Dictionary<ulong, (IActorRef Actor, AnnouncedFlow Flow, DateTime Since, bool HasStrayed)> _flows = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private bool _looking;
    private List<(AnnouncedFlow Flow, DateTime Since, bool WasMissing)> _fresh = [];

    public FlowsActor(FlowQueue<AnnouncedFlow> begun, FlowQueue<AcceptedFlow> accepted, PolicyInForce policy, ConnectionPacer pacer, HandoverStatistics statistics, TimeSpan lookEvery)
    {
        (_begun, _accepted, _policy, _pacer, _statistics, _lookEvery) = (begun, accepted, policy, pacer, statistics, lookEvery);
        Receive<LookAround>(_ => Look());
        Receive<List<HostConnection>>(Compare);
        Receive<Status.Failure>(failure =>
        {
            _looking = false;
            _log.Warning("The kernel does not list its sockets: {0}", failure.Cause.Message);
        });
        Receive<FlowEvents.PolicyChanged>(_ =>
        {
            TellOfBandwidths();
            LookAtOnce();
        });
        Receive<EndedByPolicy>(Tell);
        Receive<ListFlows>(list => Sender.Tell(List(list.Limit)));
        Receive<FlowEvents.Noticed>(noticed => Context.Report(EventKind.TcpModeNotice, $"TCP mode: {noticed.What}"));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(
        FlowQueue<AnnouncedFlow> begun, FlowQueue<AcceptedFlow> accepted, PolicyInForce policy, ConnectionPacer pacer, HandoverStatistics statistics, TimeSpan lookEvery) =>
        Akka.Actor.Props.Create(() => new FlowsActor(begun, accepted, policy, pacer, statistics, lookEvery));

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer("look", LookAround.Instance, _lookEvery);
        TellOfBandwidths();
    }

    /// <summary>Whoever comes after this one knows nothing of them.</summary>
    protected override void PostStop()
    {
        foreach (var entry in _flows.Values)
            entry.Flow.Container.CountFlows(-1);
        foreach (var (flow, _, _) in _fresh)
            flow.Container.CountFlows(-1);
    }

    private void Look()
    {
        if (_looking || (_begun.IsEmpty && _flows.Count == 0 && _fresh.Count == 0 && _accepted.IsEmpty && _here.Count == 0))
            return;
        _looking = true;
        // Before the kernel is asked: what begins meanwhile is not in its list.
        while (_begun.TryTake(out var begun))
            _fresh.Add((begun.Flow, begun.Since, false));
        while (_accepted.TryTake(out var came))
            _here[came.Flow.Cookie] = came.Flow;
        Task.Run(() => SocketDiagnostics.Connections()).PipeTo(Self);
    }

    private void Compare(List<HostConnection> present)
    {
        _looking = false;
        var byCookie = new Dictionary<ulong, HostConnection>(present.Count);
        foreach (var connection in present)
            byCookie[connection.Cookie] = connection;
        foreach (var (cookie, entry) in _flows.ToArray())
        {
            if (!byCookie.TryGetValue(cookie, out var socket))
            {
                entry.Actor.Tell(FlowEvents.Closed.Instance);
                entry.Flow.Container.CountFlows(-1);
                _flows.Remove(cookie);
            }
            else if (!entry.HasStrayed && WhereElse(entry.Flow, socket) is { } where)
            {
                _statistics.CountStrayed();
                entry.Actor.Tell(new FlowEvents.Strayed(where));
                _flows[cookie] = entry with { HasStrayed = true };
            }
        }

        // What has ended within the moment leaves nothing to supervise; what is missing once may not have been connected yet.
        var missing = new List<(AnnouncedFlow Flow, DateTime Since, bool WasMissing)>();
        foreach (var (flow, since, wasMissing) in _fresh)
        {
            if (!byCookie.ContainsKey(flow.Cookie))
            {
                if (wasMissing)
                    flow.Container.CountFlows(-1);
                else
                    missing.Add((flow, since, true));
            }
            else if (!_flows.ContainsKey(flow.Cookie))
            {
                _flows.Add(flow.Cookie, (Context.ActorOf(FlowActor.Props(flow)), flow, since, false));
            }
        }

        _fresh = missing;
        PaceLimited(byCookie);
        EndForbidden(byCookie);
    }

    private FlowsReport List(int limit) => new(
        [.. _flows.Values.OrderBy(entry => entry.Since).Take(limit).Select(entry => new FlowReport(
            entry.Flow.Container.Id,
            entry.Flow.Container.Tenant.Name,
            $"{entry.Flow.Ends.Local}:{entry.Flow.Ends.LocalPort}",
            $"{entry.Flow.Ends.Peer}:{entry.Flow.Ends.PeerPort}",
            $"{entry.Flow.PeerAddress}:{entry.Flow.PeerPort}",
            entry.Flow.HostPort,
            entry.Since,
            entry.Flow.Cookie,
            entry.HasStrayed))],
        _flows.Count);

    /// <summary>Where a flow's socket is, if it is not where it should be.</summary>
    private static string? WhereElse(in AnnouncedFlow flow, in HostConnection socket)
    {
        if (socket.Peer == flow.PeerAddress && socket.PeerPort == flow.PeerPort)
            return null;
        return socket.Peer.Network == 0 ? $"listening on {socket.Local}:{socket.LocalPort}" : $"connected to {socket.Peer}:{socket.PeerPort}";
    }

    private sealed class LookAround
    {
        public static LookAround Instance { get; } = new();
    }
}
