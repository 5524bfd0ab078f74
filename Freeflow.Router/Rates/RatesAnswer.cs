namespace Freeflow.Router.Rates;

/// <summary>What `freeflow top` shows: everything a second, over an interval.</summary>
public sealed record RatesAnswer(string Router, double Seconds, double Busy, double WorkRequests, IReadOnlyList<ContainerRate> Containers, IReadOnlyList<PeerRate> Peers)
{
    /// <summary>What has happened between two readings. What was not there at the first counts from nothing; a router that was started anew has rates of 0.</summary>
    public static RatesAnswer Between(Figures before, Figures after)
    {
        var seconds = Math.Max(after.Seconds - before.Seconds, 1e-3);
        double Rate(double from, double to) => Math.Max(0, to - from) / seconds;
        var earlier = before.Containers.ToDictionary(container => container.Id);
        var flows = before.Flows.ToDictionary(flow => flow.Id);
        var peers = before.Peers.ToDictionary(peer => peer.Address);
        double Tcp(string container, Func<FlowFigure, ulong> bytes) =>
            after.Flows.Where(flow => flow.Container == container).Sum(flow => Rate(flows.TryGetValue(flow.Id, out var was) ? bytes(was) : 0, bytes(flow)));
        return new RatesAnswer(
            after.Router,
            seconds,
            Math.Min(1, Rate(before.BusySeconds, after.BusySeconds)),
            Rate(before.WorkRequests, after.WorkRequests),
            [.. after.Containers.Select(now =>
            {
                var was = earlier.GetValueOrDefault(now.Id) ?? now with { SentBytes = 0, ReceivedBytes = 0, SentMessages = 0, ReceivedMessages = 0, Errors = 0, TcpConnections = 0 };
                return new ContainerRate(
                    now.Id, now.Address, now.Tenant, now.QueuePairs, now.RegisteredBytes,
                    Rate(was.SentBytes, now.SentBytes), Rate(was.ReceivedBytes, now.ReceivedBytes),
                    Rate(was.SentMessages, now.SentMessages), Rate(was.ReceivedMessages, now.ReceivedMessages), Rate(was.Errors, now.Errors),
                    Tcp(now.Id, flow => flow.SentBytes), Tcp(now.Id, flow => flow.ReceivedBytes), Rate(was.TcpConnections, now.TcpConnections));
            }).OrderByDescending(container => container.SentBytes + container.ReceivedBytes + container.TcpSentBytes + container.TcpReceivedBytes)
                .ThenBy(container => container.Address, StringComparer.Ordinal)],
            [.. after.Peers.Select(now =>
            {
                var was = peers.GetValueOrDefault(now.Address) ?? now with { SentBytes = 0, ReceivedBytes = 0, Retries = 0 };
                return new PeerRate(now.Address, now.IsUp, Rate(was.SentBytes, now.SentBytes), Rate(was.ReceivedBytes, now.ReceivedBytes), Rate(was.Retries, now.Retries));
            })]);
    }
}

/// <summary>Of a container: see <see cref="ContainerFigure"/>; Tcp… is what its accelerated connections carry, as the client.</summary>
public sealed record ContainerRate(
    string Id, string Address, string Tenant, int QueuePairs, long RegisteredBytes, double SentBytes, double ReceivedBytes, double SentMessages, double ReceivedMessages,
    double Errors, double TcpSentBytes, double TcpReceivedBytes, double TcpConnections);

/// <summary>Of another member: see <see cref="PeerFigure"/>.</summary>
public sealed record PeerRate(string Address, bool IsUp, double SentBytes, double ReceivedBytes, double Retries);
