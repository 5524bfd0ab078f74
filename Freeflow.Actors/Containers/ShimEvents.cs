using Freeflow.Verbs.Channel;

namespace Freeflow.Actors.Containers;

/// <summary>What happens on the router's socket, as messages.</summary>
public static class ShimEvents
{
    public sealed record Connected(ShimConnection Connection);

    public sealed record Received(ShimConnection Connection, ShimRequest Request);

    public sealed record Closed(ShimConnection Connection, string Reason);

    public sealed record Refused(string Reason);
}
