using System.Collections.Concurrent;

namespace Freeflow.Actors.Flows;

/// <summary>
/// Connections that have begun, from TCP mode's thread to <see cref="FlowsActor"/>, which looks here now and then: a message for
/// each would wake a thread for each.
/// </summary>
public sealed class FlowQueue<T>
    where T : struct
{
    private const int Bound = 200_000;

    private readonly ConcurrentQueue<(T Flow, DateTime Since)> _begun = new();

    public bool IsEmpty => _begun.IsEmpty;

    /// <summary>Any thread. Beyond a bound flows go without an actor: they are only watched; false then.</summary>
    public bool Add(in T flow)
    {
        if (_begun.Count >= Bound)
            return false;
        _begun.Enqueue((flow, DateTime.UtcNow));
        return true;
    }

    /// <param name="begun">The flow, and when it was added (UTC).</param>
    public bool TryTake(out (T Flow, DateTime Since) begun) => _begun.TryDequeue(out begun);
}
