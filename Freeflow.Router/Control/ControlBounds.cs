namespace Freeflow.Router.Control;

/// <summary>How long a client of the control socket may take.</summary>
public sealed record ControlBounds
{
    /// <summary>From its connection to the end of its line.</summary>
    public TimeSpan Saying { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Until the router has its answer.</summary>
    public TimeSpan Answering { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>To read that, and to close.</summary>
    public TimeSpan Reading { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>How often somebody who is told of things as they happen is told that there is nothing: by an empty line.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long the command waits for a line from a router that tells of things as they happen.</summary>
    public TimeSpan Silence => 5 * Heartbeat;

    /// <summary>What the command waits for an answer: somewhat longer than the router takes to give one.</summary>
    public TimeSpan Client => Saying + Answering + Reading;
}
