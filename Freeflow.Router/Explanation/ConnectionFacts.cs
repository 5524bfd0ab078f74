using System.Net;
using Freeflow.Actors.Peers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Policy;

namespace Freeflow.Router.Explanation;

/// <summary>What this router knows about a connection that somebody asks about.</summary>
public sealed record ConnectionFacts
{
    public required IPAddress Source { get; init; }

    public required IPAddress Destination { get; init; }

    /// <summary>0: none was named.</summary>
    public int Port { get; init; }

    /// <summary>The source's; null while no router has the address.</summary>
    public string? Tenant { get; init; }

    /// <summary>The router that has the source.</summary>
    public RouterFacts? SourceRouter { get; init; }

    /// <summary>The router that has the destination, for the source's tenant.</summary>
    public RouterFacts? DestinationRouter { get; init; }

    /// <summary>Tenants that have the destination, too.</summary>
    public IReadOnlyList<string> OtherTenants { get; init; } = [];

    /// <summary>What the policy says of TCP connections, to any port where none was named.</summary>
    public PolicyDecision TcpPolicy { get; init; } = new(true, "");

    /// <summary>The same of QPs.</summary>
    public PolicyDecision RdmaPolicy { get; init; } = new(true, "");

    /// <summary>What TCP mode says; null where it was not asked.</summary>
    public TcpVerdict? Tcp { get; init; }
}

/// <param name="Address">Its cluster address and port.</param>
/// <param name="IsOwn">Whether it is the router that was asked.</param>
/// <param name="IsMember">Whether it is a member of the cluster that is up.</param>
/// <param name="IsReachable">Whether the members hear it.</param>
/// <param name="Data">The engines' link to it; null for the router itself.</param>
public sealed record RouterFacts(string Address, bool IsOwn, bool IsMember, bool IsReachable, LinkState? Data);
