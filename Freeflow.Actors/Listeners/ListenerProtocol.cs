using Freeflow.Verbs.Handover;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Actors.Listeners;

/// <summary>How a container comes by its listeners.</summary>
public static class ListenerProtocol
{
    /// <summary>To the container: a process listens, and is to have the listener's one queue. Answered by <see cref="Made"/>.</summary>
    public sealed record Make(ListeningSocket Socket, int Backlog);

    /// <summary>A copy of the channel's end for the application; whoever gets this passes it on and disposes it.</summary>
    public sealed record Made(SafeFileHandle ApplicationEnd);

    /// <summary>From a listener to its container: it is not asked for its queue any more.</summary>
    /// <param name="IsOver">Nobody has the queue: the actor ends when the container has heard so, and what it has been asked till then is answered.</param>
    public sealed record Gone(bool IsOver);
}

/// <summary>What TCP mode's thread tells a listener.</summary>
public static class ListenerEvents
{
    /// <summary>Its socket is gone, or listens no more.</summary>
    public sealed class Gone
    {
        public static Gone Instance { get; } = new();
    }

    /// <summary>Nobody has its queue any more.</summary>
    public sealed class Ended
    {
        public static Ended Instance { get; } = new();
    }
}
