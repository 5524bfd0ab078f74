using Freeflow.Actors.Serialization;

namespace Freeflow.Actors.Peers;

/// <summary>What two routers say to each other to open their data link.</summary>
public static class PeerProtocol
{
    /// <summary>From the router with the lower name: the key for our link.</summary>
    public sealed record Offer(string Node, byte[] Key) : IClusterMessage;

    /// <summary>The key is taken; data links are accepted on this port.</summary>
    public sealed record Accept(string Node, int LinkPort) : IClusterMessage;
}
