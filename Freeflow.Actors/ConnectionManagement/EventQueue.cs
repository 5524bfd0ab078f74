using Akka.Actor;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Channel;

namespace Freeflow.Actors.ConnectionManagement;

/// <summary>What waits to be read from one rdma_cm descriptor, which shows whether anything does.</summary>
internal sealed class EventQueue(IActorRef connection, ReadinessSignal signal, EventBudget budget, TimeProvider? time = null)
{
    /// <summary>
    /// How long who has been told that events wait may need to come for the next one, on a busy machine. The end of an id
    /// with events that nobody reads takes that long.
    /// </summary>
    public static readonly TimeSpan Youth = TimeSpan.FromMilliseconds(100);

    private readonly LinkedList<(WaitingEvent Event, long Since)> _events = [];
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private long _lastTaken;

    public IActorRef Connection { get; } = connection;

    public ReadinessSignal Signal { get; } = signal;

    public bool IsFull => budget.IsSpent;

    public void Add(WaitingEvent waiting)
    {
        _events.AddLast((waiting, _time.GetTimestamp()));
        budget.Waiting++;
        Signal.Set(true);
    }

    public WaitingEvent? Take()
    {
        var first = _events.First;
        if (first is null)
            return null;
        _events.RemoveFirst();
        budget.Waiting--;
        _lastTaken = _time.GetTimestamp();
        Signal.Set(_events.Count > 0);
        return first.Value.Event;
    }

    /// <summary>Whether an event of an id waits of which somebody has been told just now, when it came or when the one before it was taken.</summary>
    public bool HasYoung(Identifier owner) =>
        _events.Any(waiting => waiting.Event.Owner == owner && _time.GetElapsedTime(Math.Max(waiting.Since, _lastTaken)) < Youth);

    /// <summary>Takes out what is about something that is gone, or moves on.</summary>
    public List<WaitingEvent> Withdraw(Predicate<WaitingEvent> isGone)
    {
        var gone = new List<WaitingEvent>();
        for (var node = _events.First; node is not null;)
        {
            var next = node.Next;
            if (isGone(node.Value.Event))
            {
                gone.Add(node.Value.Event);
                _events.Remove(node);
            }

            node = next;
        }

        budget.Waiting -= gone.Count;
        Signal.Set(_events.Count > 0);
        return gone;
    }
}

/// <summary>Events that wait in all of a container's descriptors. Beyond the bound, what comes is lost, and commands that lead to more of them fail.</summary>
internal sealed class EventBudget
{
    private const int Maximum = 65536;

    public int Waiting { get; set; }

    public bool IsSpent => Waiting >= Maximum;
}

/// <summary>An event that waits.</summary>
/// <param name="Owner">The id whose it is; a listener's, for a request.</param>
/// <param name="Event">As the application gets it.</param>
/// <param name="Asking">The id that has been made for a request.</param>
/// <param name="Group">The group that it is about.</param>
internal sealed record WaitingEvent(Identifier Owner, RdmaCmEventResponse Event, Identifier? Asking = null, Group? Group = null);

/// <summary>An id as its manager knows it.</summary>
internal sealed class Identifier(uint number, ulong uid, IActorRef actor, EventQueue queue)
{
    public uint Number { get; } = number;

    public ulong Uid { get; } = uid;

    public IActorRef Actor { get; } = actor;

    public EventQueue Queue { get; set; } = queue;

    /// <summary>Events that the application has had.</summary>
    public uint Reported { get; set; }

    /// <summary>A listener's: requests that may wait beside those that do.</summary>
    public int Backlog { get; set; }

    public List<Group> Groups { get; } = [];

    /// <summary>Who asks, where it was made for a request.</summary>
    public IActorRef? Asker { get; init; }
}

/// <summary>A group that an id has joined.</summary>
internal sealed class Group(Identifier owner)
{
    public Identifier Owner { get; } = owner;

    public uint Number { get; set; }

    public uint Reported { get; set; }
}
