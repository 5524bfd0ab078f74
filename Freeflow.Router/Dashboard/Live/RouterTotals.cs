namespace Freeflow.Router.Dashboard.Live;

/// <summary>Counters since the router's start.</summary>
internal readonly record struct RouterTotals(
    long LinkBytesSent, long LinkBytesReceived, long LocalBytes, long WorkRequests, long Completions, long RnrNaks, long Retries, long MessagesDropped,
    long TcpBegun, long TcpDelivered);
