using Akka.Actor;
using Freeflow.Actors.Serialization;

namespace Freeflow.Actors.Membership;

/// <summary>What routers of different clusters say to each other.</summary>
public static class ReunionProtocol
{
    /// <summary>How large the sender's cluster is.</summary>
    /// <param name="From">The sender, an address of Akka's.</param>
    /// <param name="Members">How many members are up; 0: the sender is in no cluster.</param>
    /// <param name="First">The lowest of their addresses: of two clusters of a size, that with the lower one stays.</param>
    /// <param name="Wanted">Whether the other is to answer with its own.</param>
    public sealed record Census(string From, int Members, string First, bool Wanted) : IClusterMessage
    {
        /// <summary>Of a router that is in no cluster, and asks whether the other is.</summary>
        public static Census OfNone(Address own) => new(own.ToString(), 0, "", Wanted: true);
    }
}
