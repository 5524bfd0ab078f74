using System.Diagnostics.Metrics;
using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using Freeflow.Actors;
using Freeflow.Actors.Policy;
using Freeflow.Router.Logging;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Memory;

namespace Freeflow.Router.Admin;

/// <summary>
/// What the router counts, as OpenTelemetry instruments. All of them are read when somebody asks, from figures that the engine and
/// TCP mode keep anyway: the data path does nothing for it.
/// </summary>
internal sealed class RouterMeter : IDisposable
{
    public const string Name = "Freeflow";

    private readonly Meter _meter = new(Name);
    private readonly Cluster _cluster;

    public RouterMeter(ActorSystem system, VerbsEngine engine, HandoverLoop handover, RouterActor.Started router, PolicyInForce policy, RouterLog log)
    {
        _cluster = Cluster.Get(system);
        Engine(engine.Statistics);
        Time(engine);
        Tcp(handover.Statistics);
        Connections(router);
        Policy(policy.Loads, engine.Statistics, handover.Statistics);
        ContainerMeter.AddTo(_meter, router.Register);
        PeerMeter.AddTo(_meter, router.Book, engine);
        _meter.CreateObservableGauge("freeflow.cluster.members", Members, "{member}", "Members of the cluster by state, as this router sees them");
        _meter.CreateObservableGauge("freeflow.directory.addresses", () => router.Book.Owners.Count, "{address}", "Containers' addresses that are known");
        Counter("memory.refused", () => MemoryHeadroom.Own.Refused, "{request}", "Requests for something new that the router had no memory for");
        Counter("log.lines_lost", () => log.LinesLost, "{line}", "Lines of the log that could not be written");
    }

    public void Dispose() => _meter.Dispose();

    private void Engine(EngineStatistics engine)
    {
        Counter("engine.work_requests", () => engine.WorkRequests, "{request}", "Work requests that the engine has taken from send queues");
        Counter("engine.completions", () => engine.Completions, "{completion}", "Completions written to completion queues");
        Counter("engine.local_bytes", () => engine.LocalBytes, "By", "Payload moved within this router");
        Counter("link.sent_bytes", () => engine.LinkBytesSent, "By", "Sent on data links to other routers");
        Counter("link.received_bytes", () => engine.LinkBytesReceived, "By", "Received on data links from other routers");
        Counter("engine.rnr_naks", () => engine.RnrNaks, "{nak}", "Messages that found no receive posted");
        Counter("engine.retries", () => engine.Retries, "{retry}", "Requests sent again");
        Counter("engine.messages_dropped", () => engine.MessagesDropped, "{message}", "UC and UD messages that were lost on their way or not taken");
        Counter("engine.wakeups", () => engine.Wakeups, "{wakeup}", "Times that the engine's thread has slept and was woken");
        Gauge("engine.queue_pairs", () => engine.QueuePairs, "{qp}", "Queue pairs");
        Gauge("engine.completion_queues", () => engine.CompletionQueues, "{cq}", "Completion queues");
        Gauge("engine.memory_regions", () => engine.MemoryRegions, "{mr}", "Memory regions");
        Gauge("engine.memory_windows", () => engine.MemoryWindows, "{mw}", "Memory windows");
        Gauge("engine.connections", () => engine.Connections, "{device}", "Open devices");
        Gauge("engine.multicast_groups", () => engine.Groups, "{group}", "Multicast groups with a QP of this router's");
        Gauge("link.up", () => engine.Links, "{link}", "Data links that are up");
    }

    private void Time(VerbsEngine engine)
    {
        _meter.CreateObservableCounter("freeflow.engine.asleep", () => engine.Sleep.Asleep.TotalSeconds, "s", "Time that the engine's thread has slept");
        _meter.CreateObservableCounter("freeflow.engine.busy", () => engine.Sleep.Awake.TotalSeconds, "s", "Time that the engine's thread has been awake");

        // A histogram, as Prometheus reads one; the engine's own counts can't become an instrument of that kind.
        _meter.CreateObservableGauge(
            "freeflow.engine.doorbell_wait_seconds_bucket", () => Buckets(engine.DoorbellWaits), null,
            "Doorbells by the time from the engine's seeing them to the turn of their QP");
        _meter.CreateObservableGauge("freeflow.engine.doorbell_wait_seconds_count", () => engine.DoorbellWaits.Cumulative()[^1], null, "All of them");
        _meter.CreateObservableGauge("freeflow.engine.doorbell_wait_seconds_sum", () => engine.DoorbellWaits.SumSeconds, null, "Their time together");
    }

    private static IEnumerable<Measurement<long>> Buckets(WaitHistogram waits)
    {
        var counts = waits.Cumulative();
        for (var i = 0; i < counts.Count; i++)
        {
            var bound = i < WaitHistogram.UpperSeconds.Count ? WaitHistogram.UpperSeconds[i].ToString("R", CultureInfo.InvariantCulture) : "+Inf";
            yield return new Measurement<long>(counts[i], new KeyValuePair<string, object?>("le", bound));
        }
    }

    private void Tcp(HandoverStatistics tcp)
    {
        Counter("tcp.sockets_issued", () => tcp.SocketsIssued, "{socket}", "Host sockets given to containers");
        Counter("tcp.announced", () => tcp.Announced, "{connection}", "Accelerated connections begun by containers of this host");
        Counter("tcp.delivered", () => tcp.Delivered, "{connection}", "Accelerated connections put into queues of this host's listeners");
        Counter("tcp.strayed", () => tcp.Strayed, "{socket}", "Handed-over sockets that were found to have left their peer");
        _meter.CreateObservableCounter(
            "freeflow.tcp.not_delivered",
            () => new Measurement<long>[]
            {
                new(tcp.Refused, Outcome("refused")),
                new(tcp.Reset, Outcome("reset")),
                new(tcp.Unannounced, Outcome("unannounced")),
                new(tcp.Strangers, Outcome("stranger")),
                new(tcp.Expired, Outcome("expired")),
                new(tcp.Misused, Outcome("misused")),
            },
            "{connection}",
            "Connections and announcements that came to nothing");
        _meter.CreateObservableCounter(
            "freeflow.tcp.plain",
            () => tcp.Plain.Select(entry => new Measurement<long>(entry.Value, new KeyValuePair<string, object?>("reason", entry.Key))),
            "{connection}",
            "Connections that took the overlay, by reason");
        Counter("tcp.taken_back", () => tcp.TakenBack, "{connection}", "Connections that were taken out of their listener's queue again, since nobody read it");
        Counter("tcp.relayed", () => tcp.Relayed, "{connection}", "Connections of this host's listeners that have come to them by the overlay, with a router in between");
        Counter("tcp.deaf", () => tcp.Deaf, "{listener}", "Listeners that were found to be served from the kernel's queue alone, and left plain for a while");
        Gauge("tcp.relays", () => tcp.Relays, "{connection}", "Connections that this router carries between a host socket and the overlay");
        Gauge("tcp.listeners", () => tcp.Listeners, "{listener}", "Listeners that are delivered to");
        Gauge("tcp.processes", () => tcp.Processes, "{process}", "Processes that use TCP mode");
        Gauge("tcp.links", () => tcp.Links, "{link}", "Links to other routers for announcements that are up");
    }

    private void Connections(RouterActor.Started router)
    {
        var counters = router.Connections;
        Counter("rdma_cm.requests", () => counters.Now.Requests, "{request}", "Requests for connections that have come for this router's containers");
        Counter("rdma_cm.refused", () => counters.Now.Refused, "{request}", "Those of them that no application has seen");
        Counter("rdma_cm.established", () => counters.Now.Established, "{end}", "Ends of connections that were established");
        Gauge("rdma_cm.listeners", () => counters.Now.Listeners, "{id}", "Ids that listen");
        _meter.CreateObservableGauge(
            "freeflow.actors",
            () =>
            {
                var census = ActorCensus.Of(router.Containers, router.Flows);
                return new Measurement<int>[]
                {
                    new(census.Containers, Kind("container")),
                    new(census.Connections, Kind("connection")),
                    new(census.QueuePairs, Kind("queue_pair")),
                    new(census.CompletionQueues, Kind("completion_queue")),
                    new(census.MemoryRegions, Kind("memory_region")),
                    new(census.Listeners, Kind("listener")),
                    new(census.Flows, Kind("flow")),
                    new(census.CommunicationIds, Kind("communication_id")),
                };
            },
            "{actor}",
            "Actors by what they stand for");
    }

    private void Policy(PolicyLoads loads, EngineStatistics engine, HandoverStatistics tcp)
    {
        _meter.CreateObservableCounter(
            "freeflow.policy.loads",
            () => new Measurement<long>[] { new(loads.Accepted, Outcome("accepted")), new(loads.Refused, Outcome("refused")), new(loads.Unreadable, Outcome("unreadable")) },
            "{policy}",
            "Policies that came, from the file and from operators, by what became of them");
        _meter.CreateObservableCounter(
            "freeflow.policy.ended",
            () => new Measurement<long>[] { new(engine.PolicyEnded, Mode("rdma")), new(tcp.PolicyEnded, Mode("tcp")) },
            "{connection}",
            "Connected QPs and TCP connections that were ended, since the policy allowed them no more");
        Gauge("policy.file_wrong", () => loads.IsFileWrong ? 1 : 0, "{file}", "Whether the policy's file, or that of labels, as it is now, does not hold");
    }

    private IEnumerable<Measurement<int>> Members()
    {
        var state = _cluster.State;
        foreach (var each in state.Members.GroupBy(member => state.Unreachable.Contains(member) ? "Unreachable" : member.Status.ToString()))
            yield return new Measurement<int>(each.Count(), new KeyValuePair<string, object?>("state", each.Key));
    }

    private static KeyValuePair<string, object?> Outcome(string name) => new("outcome", name);

    private static KeyValuePair<string, object?> Mode(string name) => new("mode", name);

    private static KeyValuePair<string, object?> Kind(string name) => new("kind", name);

    private void Counter(string name, Func<long> read, string unit, string description) =>
        _meter.CreateObservableCounter("freeflow." + name, read, unit, description);

    private void Gauge(string name, Func<int> read, string unit, string description) =>
        _meter.CreateObservableGauge("freeflow." + name, read, unit, description);
}
