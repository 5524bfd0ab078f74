using System.Collections.Concurrent;
using Akka.Actor;

namespace Freeflow.Actors.Roll;

/// <summary>
/// The router's actors that live now, for the operator's tree of them. They enter it themselves (<see cref="ListedActor"/>), so that an
/// actor's state and how often it was started again are known without asking anybody.
/// </summary>
public sealed class ActorRoll : IExtension
{
    private readonly ConcurrentDictionary<IActorRef, ActorStanding> _standings = new();

    /// <summary>How many there are.</summary>
    public int Count => _standings.Count;

    public static ActorRoll Of(ActorSystem system) => system.WithExtension<ActorRoll, Provider>();

    /// <summary>
    /// Those that live now, at most <paramref name="most"/>; from any thread. Where there are more, those near the top come first, so that
    /// no actor is there without its parent.
    /// </summary>
    public IReadOnlyList<ActorSeen> Look(int most)
    {
        var all = _standings.ToArray();
        IEnumerable<KeyValuePair<IActorRef, ActorStanding>> wanted = all.Length <= most ? all : all.OrderBy(entry => entry.Value.Depth).Take(most);
        return [.. wanted.Select(entry => entry.Value.Seen(entry.Key))];
    }

    internal ActorStanding Enter(IActorRef actor, Type kind) => _standings.GetOrAdd(actor, static (actor, kind) => new ActorStanding(actor.Path, kind), kind);

    internal void Leave(IActorRef actor) => _standings.TryRemove(actor, out _);

    private sealed class Provider : ExtensionIdProvider<ActorRoll>
    {
        public override ActorRoll CreateExtension(ExtendedActorSystem system) => new();
    }
}
