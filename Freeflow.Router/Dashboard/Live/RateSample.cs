namespace Freeflow.Router.Dashboard.Live;

/// <summary>What happened in a second, each a second.</summary>
/// <param name="At">Its end: milliseconds since 1970, UTC.</param>
/// <param name="LinkSent">Bytes on data links to other routers.</param>
/// <param name="LinkReceived">The same from them.</param>
/// <param name="Local">Payload bytes between QPs of this router.</param>
/// <param name="WorkRequests">Taken from send queues.</param>
/// <param name="Completions">Written.</param>
/// <param name="RnrNaks">Messages that found no receive.</param>
/// <param name="Retries">Requests sent again.</param>
/// <param name="Dropped">UC and UD messages that were lost.</param>
/// <param name="TcpBegun">Accelerated connections begun by containers of this host.</param>
/// <param name="TcpDelivered">Those delivered to its listeners.</param>
internal sealed record RateSample(
    long At, double LinkSent, double LinkReceived, double Local, double WorkRequests, double Completions, double RnrNaks, double Retries, double Dropped, double TcpBegun,
    double TcpDelivered)
{
    public static RateSample Between(in RouterTotals before, in RouterTotals now, TimeSpan passed, DateTimeOffset at)
    {
        double Rate(long from, long to) => Math.Round(Math.Max(0, to - from) / Math.Max(passed.TotalSeconds, 0.001), 1);
        return new RateSample(
            at.ToUnixTimeMilliseconds(),
            Rate(before.LinkBytesSent, now.LinkBytesSent),
            Rate(before.LinkBytesReceived, now.LinkBytesReceived),
            Rate(before.LocalBytes, now.LocalBytes),
            Rate(before.WorkRequests, now.WorkRequests),
            Rate(before.Completions, now.Completions),
            Rate(before.RnrNaks, now.RnrNaks),
            Rate(before.Retries, now.Retries),
            Rate(before.MessagesDropped, now.MessagesDropped),
            Rate(before.TcpBegun, now.TcpBegun),
            Rate(before.TcpDelivered, now.TcpDelivered));
    }
}
