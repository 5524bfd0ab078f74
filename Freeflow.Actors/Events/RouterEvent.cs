using Akka.Actor;

namespace Freeflow.Actors.Events;

/// <summary>Something that has happened in the control plane. It goes over the actor system's event stream to whoever keeps and logs events.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">A line for people. What containers have named may be in it, and is not to be trusted.</param>
/// <param name="Facts">The same for programs: who and what is concerned, by name.</param>
public sealed record RouterEvent(EventKind Kind, string Text, IReadOnlyDictionary<string, string> Facts);

/// <summary>How actors say that something has happened.</summary>
public static class EventReporting
{
    public static void Report(this IActorContext context, EventKind kind, string text, params ReadOnlySpan<(string Name, object? Value)> facts) =>
        context.System.Report(kind, text, facts);

    /// <summary>Any thread.</summary>
    public static void Report(this ActorSystem system, EventKind kind, string text, params ReadOnlySpan<(string Name, object? Value)> facts)
    {
        var known = new Dictionary<string, string>(facts.Length);
        foreach (var (name, value) in facts)
        {
            if (value?.ToString() is { } written)
                known[name] = written;
        }

        system.EventStream.Publish(new RouterEvent(kind, text, known));
    }
}
