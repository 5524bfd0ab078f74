using Akka.Actor;
using Akka.Cluster;
using Freeflow.Actors;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Flows;
using Freeflow.Actors.Inspection;
using Freeflow.Actors.Peers;
using Freeflow.Actors.Policy;
using Freeflow.Router.Admin;
using Freeflow.Router.Configuration;
using Freeflow.Router.Draining;
using Freeflow.Router.Events;
using Freeflow.Router.Explanation;
using Freeflow.Router.Perf;
using Freeflow.Router.Ping;
using Freeflow.Router.Rates;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Router.Control;

/// <summary>Answers from what the router's actors, its engine and TCP mode say now.</summary>
internal sealed class RouterAnswers(
    RouterOptions options, ActorSystem system, VerbsEngine engine, HandoverLoop handover, RouterActor.Started router, PolicyInForce policy, EventFeed events, Drainer drainer, RouterHealth health)
    : IControlAnswers
{
    public const int DefaultLimit = 1000;
    public const int MaximumLimit = 100_000;

    private const int MaximumSource = 512;
    private const int MostDestinations = 20_000;

    private static readonly TimeSpan s_within = InspectorActor.Within + TimeSpan.FromSeconds(1);

    private readonly FactFinder _facts = new(options, system, handover, router.Book, policy);
    private readonly Performer _performer = new(system, engine, router);

    public async Task<object> AnswerAsync(ControlRequest request, CancellationToken stop) => request.Name switch
    {
        "status" => Status(),
        "health" => new HealthAnswer(await health.WhatHangsAsync(), health.WhyNotReady()),
        "members" => await MembersAsync(stop),
        "containers" => await ContainersAsync(LimitOf(request), stop),
        "qps" => await QueuePairsAsync(LimitOf(request), stop),
        "mrs" => await MemoryRegionsAsync(LimitOf(request), stop),
        "explain" => Explainer.Explain(await _facts.FindAsync(request, await PeersAsync(stop), s_within, stop)),
        "flows" => await FlowsAsync(LimitOf(request), stop),
        "policy-show" => PolicyAnswer.Of(await AskAsync<PolicyReport>(router.Policy, PolicyProtocol.Show.Instance, stop)),
        "policy-apply" => await ApplyAsync(request, stop),
        "perf" => _performer.Measure(request),
        "drain" => drainer.Answer(request),
        "ping" => new Pinger(Cluster.Get(system), engine, router.Book).Ping(request),
        "figures" => await FiguresAsync(stop),
        "events" => EventAnswers.Of(events, request, LimitOf(request)),
        _ => throw new ControlException("this router does not know that request; is the command of another version?"),
    };

    private static int LimitOf(ControlRequest request) => request.Number("Limit", DefaultLimit, 1, MaximumLimit);

    private RouterStatus Status()
    {
        var state = Cluster.Get(system).State;
        return new RouterStatus(
            options.Name,
            options.HostAddress.ToString(),
            [.. state.Members.Select(member => new MemberStatus(NameOf(member), member.Status.ToString(), !state.Unreachable.Contains(member)))],
            Addresses(),
            ActorCensus.Of(router.Containers, router.Flows),
            engine.Statistics,
            handover.Statistics,
            router.Connections.Now,
            router.Drain.IsOn,
            ClusterTrust.Of(options.Tls is not null, options.HostNetwork));
    }

    /// <summary>Those of other tenants than the default one with its key before them.</summary>
    private Dictionary<string, string> Addresses() => router.Book.Owners.ToDictionary(
        entry => (entry.Key.Tenant == Tenant.Default.Key ? "" : $"{entry.Key.Tenant:x16}/") + entry.Key.Address.ToAddress(), entry => entry.Value);

    private static string NameOf(Member member) => $"{member.Address.Host}:{member.Address.Port}";

    private async Task<MembersAnswer> MembersAsync(CancellationToken stop)
    {
        var peers = await PeersAsync(stop);
        var state = Cluster.Get(system).State;
        var links = peers.Peers.ToDictionary(peer => peer.Node);
        return new MembersAnswer([.. state.Members
            .Select(member =>
            {
                var node = NodeName.Of(member.UniqueAddress);
                var (data, tcp) = node == peers.Own ? ("own", "own")
                    : links.TryGetValue(node, out var peer) ? (WordsOf(peer.Data), WordsOf(peer.Handover))
                    : peers.Foreign.TryGetValue(node, out var reason) ? ($"refused: {reason}", $"refused: {reason}")
                    : ("none", "none");
                var age = 1 + state.Members.Count(other => other.IsOlderThan(member));
                return new MemberAnswer(NameOf(member), member.Status.ToString(), !state.Unreachable.Contains(member), age, node == peers.Own, data, tcp);
            })
            .OrderBy(member => member.Age)]);
    }

    private Task<PeersReport> PeersAsync(CancellationToken stop) => AskAsync<PeersReport>(router.Peers, ListPeers.Instance, stop);

    private static string WordsOf(LinkState link) => link.IsUp ? "up" : $"down: {link.Reason}";

    private async Task<ContainersAnswer> ContainersAsync(int limit, CancellationToken stop)
    {
        var report = await AskAsync<ContainersReport>(router.Inspector, new InspectionProtocol.Containers(limit), stop);
        return new ContainersAnswer(
            [.. report.Containers.Select(container => new ContainerAnswer(
                container.Container.Id,
                container.Container.Tenant,
                container.Container.Addresses,
                container.Container.IsPrivileged,
                container.Container.Listeners,
                container.Objects,
                [.. container.Connections.Select(process => new ProcessAnswer(process.Pid, ProcessNames.Of(process.Pid), process.Kind, process.Objects))]))],
            report.Total,
            report.Silent);
    }

    private async Task<QueuePairsAnswer> QueuePairsAsync(int limit, CancellationToken stop)
    {
        var report = await AskAsync<QueuePairsReport>(router.Inspector, new InspectionProtocol.QueuePairs(limit), stop);
        var owner = OwnerOf(report.Containers);
        return new QueuePairsAnswer(
            [.. report.QueuePairs.Select(queuePair => new QueuePairAnswer(queuePair, owner(queuePair.Container).Tenant, owner(queuePair.Container).Address))],
            report.Total,
            report.Silent);
    }

    private async Task<MemoryRegionsAnswer> MemoryRegionsAsync(int limit, CancellationToken stop)
    {
        var report = await AskAsync<MemoryRegionsReport>(router.Inspector, new InspectionProtocol.MemoryRegions(limit), stop);
        var owner = OwnerOf(report.Containers);
        return new MemoryRegionsAnswer(
            [.. report.MemoryRegions.Select(region => new MemoryRegionAnswer(region, owner(region.Container).Tenant, owner(region.Container).Address))],
            report.Total,
            report.Silent);
    }

    /// <summary>Tenant and first address of each container, by its id; empty for one that has not answered.</summary>
    private static Func<string, (string Tenant, string Address)> OwnerOf(IReadOnlyList<ContainerSeen> containers)
    {
        var known = containers.ToDictionary(container => container.Id);
        return id => known.GetValueOrDefault(id) is { } container ? (container.Tenant, container.Addresses.FirstOrDefault()?.Address ?? "") : ("", "");
    }

    private async Task<FlowsAnswer> FlowsAsync(int limit, CancellationToken stop)
    {
        var report = await AskAsync<FlowsReport>(router.Flows, new ListFlows(limit), stop);
        var bytes = new Dictionary<ulong, HostConnection>();
        if (report.Flows.Count > 0)
        {
            foreach (var connection in await Task.Run(() => SocketDiagnostics.Connections(withBytes: true), stop).WaitAsync(stop))
                bytes[connection.Cookie] = connection;
        }

        var asked = new TaskCompletionSource<DestinationsSeen>(TaskCreationOptions.RunContinuationsAsynchronously);
        handover.ListDestinations(MostDestinations, asked.SetResult);
        var seen = await asked.Task.WaitAsync(s_within, stop);
        var plain = seen.Destinations.Where(entry => entry.Key.Reason != PlainReason.None)
            .OrderBy(entry => entry.Key.Container, StringComparer.Ordinal).ThenBy(entry => entry.Key.Address.Value).ThenBy(entry => entry.Key.Port).ToList();
        return new FlowsAnswer(
            [.. report.Flows.Select(flow =>
            {
                HostConnection? carried = bytes.TryGetValue(flow.Cookie, out var connection) ? connection : null;
                return new FlowAnswer(
                    flow.Container, flow.Tenant, flow.Local, flow.Peer, flow.Router, flow.HostPort, flow.Since, carried?.BytesSent, carried?.BytesReceived, flow.HasStrayed);
            })],
            report.Total,
            [.. plain.Take(limit).Select(entry => new PlainAnswer(
                entry.Key.Container, entry.Key.Tenant, $"{entry.Key.Address}:{entry.Key.Port}", entry.Key.Reason.ToString(), PlainReasons.WordsOf(entry.Key.Reason), entry.Value))],
            seen.Total - seen.Looked + Math.Max(0, plain.Count - limit),
            handover.Statistics.Plain);
    }

    private async Task<PolicyAnswer> ApplyAsync(ControlRequest request, CancellationToken stop)
    {
        if (request.Text("Text") is not { } text || request.Text("Source") is not { Length: <= MaximumSource } source)
            throw new ControlException($"\"Text\" has to be a policy, and \"Source\" where it is from, in at most {MaximumSource} letters");
        return await AskAsync<object>(router.Policy, new PolicyProtocol.Apply(text, source), stop) switch
        {
            PolicyProtocol.Applied applied => PolicyAnswer.Of(applied.Now),
            PolicyProtocol.Refused refused => throw new ControlException($"{source}: {refused.Problem}"),
            var other => throw new ControlException($"the router answers with {other.GetType().Name}"),
        };
    }

    private async Task<Figures> FiguresAsync(CancellationToken stop)
    {
        var flows = await AskAsync<FlowsReport>(router.Flows, new ListFlows(MaximumLimit), stop);
        return await Task.Run(() => FigureReader.Read(options.Name, engine, router, flows), stop).WaitAsync(stop);
    }

    /// <summary>From outside of the actors, so that waiting holds nobody up.</summary>
    private static async Task<T> AskAsync<T>(IActorRef actor, object question, CancellationToken stop)
    {
        try
        {
            return await actor.Ask<T>(question, s_within, stop);
        }
        catch (AskTimeoutException)
        {
            throw new ControlException($"the router's {actor.Path.Name} did not answer within {s_within.TotalSeconds} s");
        }
    }
}
