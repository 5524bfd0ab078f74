using Akka.Actor;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Peers;
using Freeflow.Verbs.Engine;

namespace Freeflow.Actors;

/// <summary>
/// The top of the control plane, /user/router. Its children live as long as the router; one that fails is started again,
/// with its state, if any, made anew from what the kernel and the cluster say.
/// </summary>
public sealed class RouterActor : ReceiveActor
{
    public RouterActor(
        VerbsEngine engine, EngineNews news, ConnectionLimits limits, TimeSpan containerLinger, LinkEndpoint endpoint, Action<Started> started)
    {
        var book = new AddressBook();
        var directory = Context.ActorOf(DirectoryActor.Props(book), "directory");
        var peers = Context.ActorOf(PeersActor.Props(engine, book, endpoint), "peers");
        news.WatchLinks(peers);
        var plane = new ControlPlane(engine, book, directory, new NumberAllocator(), news, limits);
        var containers = Context.ActorOf(ContainersActor.Props(plane, containerLinger), "containers");
        started(new Started(book, peers, containers));
    }

    /// <summary>What the process wires to its sockets.</summary>
    public sealed record Started(AddressBook Book, IActorRef Peers, IActorRef Containers);

    public static Props Props(
        VerbsEngine engine, EngineNews news, ConnectionLimits limits, TimeSpan containerLinger, LinkEndpoint endpoint, Action<Started> started) =>
        Akka.Actor.Props.Create(() => new RouterActor(engine, news, limits, containerLinger, endpoint, started));
}
