using Freeflow.Verbs.Handover;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Actors.Listeners;

/// <summary>How a container comes by its listeners.</summary>
public static class ListenerProtocol
{
    /// <summary>To the container: a process listens. Answered by <see cref="Made"/>.</summary>
    public sealed record Make(ListeningSocket Socket, int Backlog);

    /// <summary>The channel's end for the application; whoever gets this passes it on and disposes it.</summary>
    public sealed record Made(SafeFileHandle ApplicationEnd);
}

/// <summary>What TCP mode's thread tells a listener.</summary>
public static class ListenerEvents
{
    /// <summary>Nobody has it any more.</summary>
    public sealed class Ended
    {
        public static Ended Instance { get; } = new();
    }
}
