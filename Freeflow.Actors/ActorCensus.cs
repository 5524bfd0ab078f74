using Akka.Actor;

namespace Freeflow.Actors;

/// <summary>How many actors of each kind live, for the operator and for whoever looks for leaks.</summary>
public sealed record ActorCensus(int Containers, int Connections, int QueuePairs, int CompletionQueues, int MemoryRegions)
{
    /// <summary>Counts below /user/router/containers; from any thread.</summary>
    public static ActorCensus Of(IActorRef containers)
    {
        var each = ChildrenOf(containers).ToList();
        var connections = each.SelectMany(ChildrenOf).ToList();
        var objects = connections.SelectMany(ChildrenOf).Select(actor => actor.Path.Name[..2]).ToLookup(kind => kind);
        return new ActorCensus(each.Count, connections.Count, objects["qp"].Count(), objects["cq"].Count(), objects["mr"].Count());
    }

    private static IEnumerable<IActorRef> ChildrenOf(IActorRef actor) => actor is ActorRefWithCell cell ? cell.Children : [];
}
