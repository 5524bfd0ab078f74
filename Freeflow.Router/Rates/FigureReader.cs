using System.Diagnostics;
using Freeflow.Actors;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Flows;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;

namespace Freeflow.Router.Rates;

/// <summary>Reads the router's counters.</summary>
internal static class FigureReader
{
    private static readonly WorkCompletionStatus[] s_errors =
        [.. Enum.GetValues<WorkCompletionStatus>().Where(status => status is not (WorkCompletionStatus.Success or WorkCompletionStatus.WorkRequestFlushError))];

    /// <summary>Asks the kernel for its sockets where there are flows: not for threads that others wait for.</summary>
    public static Figures Read(string name, VerbsEngine engine, RouterActor.Started router, FlowsReport flows)
    {
        var bytes = flows.Flows.Count > 0 ? SocketDiagnostics.Connections(withBytes: true).ToLookup(connection => connection.Cookie) : null;
        return new Figures(
            Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency,
            name,
            engine.Sleep.Awake.TotalSeconds,
            engine.Statistics.WorkRequests,
            [.. router.Register.All.Select(container =>
            {
                var (holdings, tally) = (container.Holdings, container.Holdings.Tally);
                return new ContainerFigure(
                    container.Id, container.Address, container.Tenant, holdings.QueuePairs.Count, holdings.RegisteredBytes.Taken,
                    tally.BytesSent, tally.BytesReceived, tally.MessagesSent, tally.MessagesReceived, s_errors.Sum(tally.CompletionsWith),
                    container.Handover.Announced + container.Handover.Delivered);
            })],
            [.. router.Book.Peers.OrderBy(peer => peer.Value).Select(peer =>
            {
                var tally = engine.TallyOf(peer.Value) ?? new PeerTally();
                var address = NodeName.AddressOf(peer.Key) is { } at ? $"{at.Host}:{at.Port}" : peer.Key;
                return new PeerFigure(address, tally.IsUp, tally.BytesSent, tally.BytesReceived, tally.Retries);
            }).DistinctBy(peer => peer.Address)],
            [.. flows.Flows.Select(flow =>
            {
                var carried = bytes![flow.Cookie].FirstOrDefault();
                return new FlowFigure(flow.Cookie, flow.Container, carried.BytesSent, carried.BytesReceived);
            }).DistinctBy(flow => flow.Id)]);
    }
}
