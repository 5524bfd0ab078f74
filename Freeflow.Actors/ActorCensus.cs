using Akka.Actor;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Containers;

namespace Freeflow.Actors;

/// <summary>How many actors of each kind live, for the operator and for whoever looks for leaks.</summary>
public sealed record ActorCensus(
    int Containers, int Connections, int QueuePairs, int CompletionQueues, int MemoryRegions, int MemoryWindows, int SharedReceiveQueues, int Listeners, int Flows,
    int CommunicationIds)
{
    /// <summary>Counts below /user/router/containers and /user/router/flows; from any thread.</summary>
    public static ActorCensus Of(IActorRef containers, IActorRef flows)
    {
        var each = ChildrenOf(containers).ToList();
        var children = each.SelectMany(ChildrenOf).ToList();
        var kinds = children.ToLookup(child => child.Path.Name.StartsWith(ContainerActor.ListenerPrefix, StringComparison.Ordinal) ? 'l'
            : child.Path.Name.StartsWith(ConnectionManagerActor.Name, StringComparison.Ordinal) ? 'm' : 'c');
        var connections = kinds['c'].ToList();
        var objects = connections.SelectMany(ChildrenOf).Select(actor => actor.Path.Name[..2]).ToLookup(kind => kind);
        return new ActorCensus(
            each.Count, connections.Count, objects["qp"].Count(), objects["cq"].Count(), objects["mr"].Count(), objects["mw"].Count(), objects["sr"].Count(),
            kinds['l'].Count(), ChildrenOf(flows).Count(), kinds['m'].Sum(manager => ChildrenOf(manager).Count()));
    }

    private static IEnumerable<IActorRef> ChildrenOf(IActorRef actor) => actor is ActorRefWithCell cell ? cell.Children : [];
}
