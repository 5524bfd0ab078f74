namespace Freeflow.Router.Rates;

/// <summary>What has been counted up to a moment; two of them give rates.</summary>
/// <param name="Seconds">Since some moment; it never goes back.</param>
/// <param name="Router">The router's name.</param>
/// <param name="BusySeconds">How long the engine's thread has been awake.</param>
/// <param name="WorkRequests">Taken from send queues.</param>
/// <param name="Containers">Those that are served.</param>
/// <param name="Peers">The other members.</param>
/// <param name="Flows">Accelerated TCP connections that containers of this host have begun.</param>
public sealed record Figures(
    double Seconds, string Router, double BusySeconds, long WorkRequests,
    IReadOnlyList<ContainerFigure> Containers, IReadOnlyList<PeerFigure> Peers, IReadOnlyList<FlowFigure> Flows);

/// <param name="Id">Its network namespace.</param>
/// <param name="Address">Its first address.</param>
/// <param name="Tenant">Whose it is.</param>
/// <param name="QueuePairs">That it has now.</param>
/// <param name="RegisteredBytes">That it has now.</param>
/// <param name="SentBytes">By RDMA, like the next three.</param>
/// <param name="ReceivedBytes">Payload placed in its memory.</param>
/// <param name="SentMessages">Work requests carried out.</param>
/// <param name="ReceivedMessages">Placed in its memory.</param>
/// <param name="Errors">Completions with an error, flushes not among them.</param>
/// <param name="TcpConnections">Begun over host sockets, and come to it over them.</param>
public sealed record ContainerFigure(
    string Id, string Address, string Tenant, int QueuePairs, long RegisteredBytes, long SentBytes, long ReceivedBytes, long SentMessages, long ReceivedMessages, long Errors,
    long TcpConnections);

/// <param name="Address">Its cluster address.</param>
/// <param name="IsUp">Whether there is a data link.</param>
/// <param name="SentBytes">On data links.</param>
/// <param name="ReceivedBytes">The same.</param>
/// <param name="Retries">Requests that were sent again.</param>
public sealed record PeerFigure(string Address, bool IsUp, long SentBytes, long ReceivedBytes, long Retries);

/// <param name="Id">The kernel's cookie of its socket.</param>
/// <param name="Container">The client's network namespace.</param>
/// <param name="SentBytes">By the client.</param>
/// <param name="ReceivedBytes">By the client.</param>
public sealed record FlowFigure(ulong Id, string Container, ulong SentBytes, ulong ReceivedBytes);
