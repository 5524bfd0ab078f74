using System.Reflection;
using Freeflow.Actors.Inspection;
using Freeflow.Actors.Roll;
using Freeflow.Router.Control;
using Freeflow.Router.Events;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;

namespace Freeflow.Router.Dashboard.Live;

/// <summary>The router's own answers to the command's questions, with rates beside the counters in them.</summary>
internal sealed class RouterLiveSource(
    string name, string address, ClusterTrust trust, IControlAnswers answers, ActorRoll roll, EngineStatistics engine, HandoverStatistics tcp) : ILiveSource
{
    /// <summary>Rows of a table that the pages get; how many more there are is said.</summary>
    private const int MostRows = 1000;

    private const int MostActors = 20_000;
    private const int MostEvents = 300;

    /// <summary>Longer than it takes the actors to answer for those that are silent.</summary>
    private static readonly TimeSpan s_within = InspectorActor.Within + TimeSpan.FromSeconds(2);

    private readonly RowRates _ofQueuePairs = new();
    private readonly RowRates _ofFlows = new();

    public RouterIdentity Identity { get; } = new(
        name, address, typeof(RouterLiveSource).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "", DateTime.UtcNow, trust);

    public RouterTotals Totals() => new(
        engine.LinkBytesSent, engine.LinkBytesReceived, engine.LocalBytes, engine.WorkRequests, engine.Completions, engine.RnrNaks, engine.Retries, engine.MessagesDropped,
        tcp.Announced, tcp.Delivered);

    public async Task<IReadOnlyList<Section>> LookAsync(bool withActors, CancellationToken stop)
    {
        var looks = new List<Task<IReadOnlyList<Section>>>
        {
            AskAsync<MembersAnswer>("members", ["members"], Members, stop),
            AskAsync<ContainersAnswer>("containers", ["containers"], Containers, stop),
            AskAsync<QueuePairsAnswer>("qps", ["qps"], QueuePairs, stop),
            AskAsync<MemoryRegionsAnswer>("mrs", ["mrs"], MemoryRegions, stop),
            AskAsync<FlowsAnswer>("flows", ["flows", "plain", "reasons"], Flows, stop),
            AskAsync<EventsAnswer>("events", ["events"], Events, stop),
        };
        List<Section> sections = [.. (await Task.WhenAll(looks)).SelectMany(part => part)];
        if (withActors)
            sections.Add(new Section("actors", [.. roll.Look(MostActors).Select(actor => (actor.Path, (object)actor))], roll.Count));
        return sections;
    }

    private async Task<IReadOnlyList<Section>> AskAsync<T>(string question, string[] names, Func<T, IReadOnlyList<Section>> tables, CancellationToken stop)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(stop);
        bound.CancelAfter(s_within);
        try
        {
            var limit = question == "members" ? ControlRequest.Of(question) : ControlRequest.Of(question, ("Limit", $"{MostRows}"));
            return tables((T)await answers.AnswerAsync(limit, bound.Token).WaitAsync(bound.Token));
        }
        catch (Exception problem) when (!stop.IsCancellationRequested)
        {
            // The pages go on with what they have, and say that it is old.
            var why = problem is ControlException ? problem.Message : problem is OperationCanceledException ? $"no answer within {s_within.TotalSeconds} s" : problem.GetType().Name;
            return [.. names.Select(name => new Section(name, null, 0, why))];
        }
    }

    private static IReadOnlyList<Section> Members(MembersAnswer answer) =>
        [new Section("members", [.. answer.Members.Select(member => (member.Address, (object)member))], answer.Members.Count)];

    private static IReadOnlyList<Section> Containers(ContainersAnswer answer) =>
        [new Section("containers", [.. answer.Containers.Select(container => (container.Id, (object)container))], answer.Total, Silence(answer.Silent))];

    private IReadOnlyList<Section> QueuePairs(QueuePairsAnswer answer)
    {
        _ofQueuePairs.Begin();
        return [new Section("qps", [.. answer.QueuePairs.Select(pair => ($"{pair.QueuePair.Number}", (object)WithRate(pair)))], answer.Total, Silence(answer.Silent))];
    }

    private static IReadOnlyList<Section> MemoryRegions(MemoryRegionsAnswer answer) =>
        [new Section("mrs", [.. answer.MemoryRegions.Select(region => ($"0x{region.MemoryRegion.Key:x}", (object)region))], answer.Total, Silence(answer.Silent))];

    private QueuePairRow WithRate(QueuePairAnswer pair)
    {
        var rate = _ofQueuePairs.Of($"{pair.QueuePair.Number}", pair.QueuePair.Sends, pair.QueuePair.Receives);
        return new QueuePairRow(pair.QueuePair, pair.Tenant, pair.Address, rate?.One, rate?.Other);
    }

    private IReadOnlyList<Section> Flows(FlowsAnswer answer)
    {
        _ofFlows.Begin();
        return
        [
            new Section("flows", [.. answer.Flows.Select(flow => ($"{flow.Container} {flow.Local} {flow.Peer}", (object)WithRate(flow)))], answer.Total),
            new Section(
                "plain", [.. answer.Plain.Select(plain => ($"{plain.Container} {plain.Destination}", (object)plain))], answer.Plain.Count + answer.PlainUnseen,
                answer.PlainUnseen > 0 ? $"{answer.PlainUnseen} destinations were not looked at" : null),
            new Section("reasons", [.. answer.PlainByReason.Select(reason => (reason.Key, (object)new ReasonRow(
                Enum.TryParse<PlainReason>(reason.Key, out var known) ? PlainReasons.WordsOf(known) : reason.Key, reason.Value)))], answer.PlainByReason.Count),
        ];
    }

    private FlowRow WithRate(FlowAnswer flow)
    {
        var rate = flow is { BytesSent: { } sent, BytesReceived: { } received } ? _ofFlows.Of($"{flow.Container} {flow.Local} {flow.Peer}", sent, received) : null;
        return new FlowRow(flow, rate?.One, rate?.Other);
    }

    private static IReadOnlyList<Section> Events(EventsAnswer answer) =>
        [new Section("events", [.. answer.Events.TakeLast(MostEvents).Select(happened => ($"{happened.Number}", (object)happened))], answer.Events.Count)];

    private static string? Silence(int silent) => silent > 0 ? $"{silent} parts of the router have not answered in time" : null;
}
