using System.Net;

namespace Freeflow.Actors.Seeds;

/// <summary>What a router that is in no cluster does next.</summary>
public abstract record JoinStep
{
    private JoinStep()
    {
    }

    /// <summary>Listens on.</summary>
    public sealed record Wait : JoinStep
    {
        public static readonly Wait Instance = new();
    }

    /// <summary>Starts a cluster.</summary>
    public sealed record Form : JoinStep
    {
        public static readonly Form Instance = new();
    }

    /// <summary>Joins the cluster of these members.</summary>
    public sealed record Join(IReadOnlyList<IPEndPoint> Members) : JoinStep;
}
