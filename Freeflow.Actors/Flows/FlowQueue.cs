using System.Collections.Concurrent;
using Freeflow.Verbs.Handover;

namespace Freeflow.Actors.Flows;

/// <summary>
/// Connections that have begun, from TCP mode's thread to <see cref="FlowsActor"/>, which looks here now and then: a message for
/// each would wake a thread for each.
/// </summary>
public sealed class FlowQueue
{
    private const int Bound = 200_000;

    private readonly ConcurrentQueue<AnnouncedFlow> _begun = new();

    public bool IsEmpty => _begun.IsEmpty;

    /// <summary>Any thread. Beyond a bound flows go without an actor: they are only watched.</summary>
    public void Add(in AnnouncedFlow flow)
    {
        if (_begun.Count < Bound)
            _begun.Enqueue(flow);
    }

    public bool TryTake(out AnnouncedFlow flow) => _begun.TryDequeue(out flow);
}
