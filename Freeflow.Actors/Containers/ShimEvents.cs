using Freeflow.Verbs.Channel;

namespace Freeflow.Actors.Containers;

/// <summary>What happens on the router's socket, as messages.</summary>
public static class ShimEvents
{
    public interface IOfConnection
    {
        ShimConnection Connection { get; }
    }

    public sealed record Connected(ShimConnection Connection) : IOfConnection;

    public sealed record Received(ShimConnection Connection, ShimRequest Request) : IOfConnection;

    public sealed record Closed(ShimConnection Connection, string Reason) : IOfConnection;

    public sealed record Refused(string Reason);
}
