using System.Diagnostics;
using Hyperion;

namespace Freeflow.Actors.Tracing;

/// <summary>A message between routers that knows what it was sent for. That travels behind it on the wire (<see cref="TraceParent"/>), not in it.</summary>
public abstract record TracedMessage
{
    /// <summary>The span that it belongs below; nothing where nobody traces.</summary>
    [field: Ignore]
    public ActivityContext Cause { get; init; }

    /// <summary>What spans of it are called: the specification's name of it.</summary>
    public abstract string Term { get; }
}

public static class TracedMessages
{
    /// <summary>The message, with what it is sent for.</summary>
    public static T For<T>(this T message, ActivityContext cause)
        where T : TracedMessage => message.Cause == cause ? message : (T)((TracedMessage)message with { Cause = cause });
}
