using Akka.Actor;

namespace Freeflow.Actors.Roll;

/// <summary>What is kept of one actor, from its first start to its last end. The actor writes, anybody reads.</summary>
internal sealed class ActorStanding
{
    private readonly string _path;
    private readonly string _kind;
    private volatile string? _state;
    private volatile int _restarts;

    public ActorStanding(ActorPath path, Type kind)
    {
        // The first element is the guardian's.
        _path = string.Join('/', path.Elements.Skip(1));
        _kind = NameOf(kind);
        Depth = path.Elements.Count;
    }

    public int Depth { get; }

    public string? State
    {
        set => _state = value;
    }

    public void CountRestart() => _restarts++;

    public ActorSeen Seen(IActorRef actor) => new(_path, _kind, _state, actor is ActorRefWithCell cell ? cell.Underlying.NumberOfMessages : 0, _restarts);

    private static string NameOf(Type kind)
    {
        const string common = "Actor";
        return kind.Name.EndsWith(common, StringComparison.Ordinal) ? kind.Name[..^common.Length] : kind.Name;
    }
}
