using Akka.Actor;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Channel;
using Microsoft.Extensions.Time.Testing;

namespace Freeflow.Actors.Tests.ConnectionManagement;

/// <summary>Who has been told that an event waits comes for it in a moment, in which it is not withdrawn.</summary>
public sealed class EventsAreYoungForAMoment : IDisposable
{
    private readonly ReadinessSignal _signal = ReadinessSignal.Create();
    private readonly FakeTimeProvider _clock = new();
    private readonly EventQueue _queue;
    private readonly Identifier _one, _other;

    public EventsAreYoungForAMoment()
    {
        _queue = new EventQueue(ActorRefs.Nobody, _signal, new EventBudget(), _clock);
        _one = new Identifier(1, 0, ActorRefs.Nobody, _queue);
        _other = new Identifier(2, 0, ActorRefs.Nobody, _queue);
    }

    public void Dispose()
    {
        _signal.ApplicationEnd.Dispose();
        _signal.Dispose();
    }

    [Fact]
    public void OnesOwnWhenTheyCome()
    {
        Raise(_one);
        Assert.True(_queue.HasYoung(_one));
        Assert.False(_queue.HasYoung(_other));
        _clock.Advance(EventQueue.Youth);
        Assert.False(_queue.HasYoung(_one));
    }

    [Fact]
    public void TheNextWhenTheOneBeforeIsTaken()
    {
        Raise(_other);
        Raise(_one);
        _clock.Advance(EventQueue.Youth);
        _queue.Take();
        Assert.True(_queue.HasYoung(_one));
        _clock.Advance(EventQueue.Youth);
        Assert.False(_queue.HasYoung(_one));
    }

    [Fact]
    public void NotThoseThatAreTaken()
    {
        Raise(_one);
        _queue.Take();
        Assert.False(_queue.HasYoung(_one));
    }

    private void Raise(Identifier owner) => _queue.Add(new WaitingEvent(owner, new RdmaCmEventResponse()));
}
