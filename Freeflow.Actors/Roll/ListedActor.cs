using Akka.Actor;

namespace Freeflow.Actors.Roll;

/// <summary>An actor that is on the <see cref="ActorRoll"/> from its first start to its end, however often it is started again meanwhile.</summary>
public abstract class ListedActor : ReceiveActor
{
    private ActorStanding? _standing;
    private string? _shownState;

    /// <summary>What the operator sees of its state: a word or two.</summary>
    protected string? ShownState
    {
        get => _shownState;
        set
        {
            _shownState = value;
            if (_standing is { } standing)
                standing.State = value;
        }
    }

    public override void AroundPreStart()
    {
        Enter();
        base.AroundPreStart();
    }

    public override void AroundPostRestart(Exception cause, object message)
    {
        // This is another object than the one that has failed.
        Enter().CountRestart();
        base.AroundPostRestart(cause, message);
    }

    public override void AroundPostStop()
    {
        try
        {
            base.AroundPostStop();
        }
        finally
        {
            ActorRoll.Of(Context.System).Leave(Self);
        }
    }

    private ActorStanding Enter()
    {
        _standing = ActorRoll.Of(Context.System).Enter(Self, GetType());
        _standing.State = _shownState;
        return _standing;
    }
}
