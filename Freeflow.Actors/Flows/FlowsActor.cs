using Akka.Actor;
using Akka.Event;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Flows;

/// <summary>
/// The accelerated connections that this host's containers have begun: a child for each that lives longer than a moment. The
/// kernel's own list of sockets tells which are still there, since a handed-over socket is closed without a word; by its cookie,
/// since another socket may have its port by then.
/// </summary>
public sealed class FlowsActor : ReceiveActor, IWithTimers
{
    private readonly FlowQueue _begun;
    private readonly HandoverStatistics _statistics;
    private readonly TimeSpan _lookEvery;
    private readonly Dictionary<ulong, (IActorRef Actor, AnnouncedFlow Flow, bool HasStrayed)> _flows = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private bool _looking;

    public FlowsActor(FlowQueue begun, HandoverStatistics statistics, TimeSpan lookEvery)
    {
        (_begun, _statistics, _lookEvery) = (begun, statistics, lookEvery);
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

    public static Props Props(FlowQueue begun, HandoverStatistics statistics, TimeSpan lookEvery) =>
        Akka.Actor.Props.Create(() => new FlowsActor(begun, statistics, lookEvery));

    protected override void PreStart() => Timers.StartPeriodicTimer("look", LookAround.Instance, _lookEvery);

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
        var byCookie = new Dictionary<ulong, HostConnection>(present.Count);
        foreach (var connection in present)
            byCookie[connection.Cookie] = connection;
        foreach (var (cookie, entry) in _flows.ToArray())
        {
            if (!byCookie.TryGetValue(cookie, out var socket))
            {
                entry.Actor.Tell(FlowEvents.Closed.Instance);
                _flows.Remove(cookie);
            }
            else if (!entry.HasStrayed && WhereElse(entry.Flow, socket) is { } where)
            {
                _statistics.CountStrayed();
                entry.Actor.Tell(new FlowEvents.Strayed(where));
                _flows[cookie] = entry with { HasStrayed = true };
            }
        }

        while (_begun.TryTake(out var flow))
        {
            // What has ended within the moment leaves nothing to supervise.
            if (byCookie.ContainsKey(flow.Cookie) && !_flows.ContainsKey(flow.Cookie))
                _flows.Add(flow.Cookie, (Context.ActorOf(FlowActor.Props(flow)), flow, false));
        }
    }

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
