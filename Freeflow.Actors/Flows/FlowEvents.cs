namespace Freeflow.Actors.Flows;

/// <summary>What a flow is told.</summary>
public static class FlowEvents
{
    /// <summary>TCP mode has something that an operator should know.</summary>
    public sealed record Noticed(string What);

    /// <summary>Some of the connections that are there may be allowed no more.</summary>
    public sealed class PolicyChanged
    {
        public static PolicyChanged Instance { get; } = new();
    }

    /// <summary>The socket is no longer there.</summary>
    public sealed class Closed
    {
        public static Closed Instance { get; } = new();
    }

    /// <summary>The socket is connected to somebody else, or listens.</summary>
    public sealed record Strayed(string Where);
}
