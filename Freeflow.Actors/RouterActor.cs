using Akka.Actor;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Peers;
using Freeflow.Actors.Flows;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;

namespace Freeflow.Actors;

/// <summary>
/// The top of the control plane, /user/router. Its children live as long as the router; one that fails is started again,
/// with its state, if any, made anew from what the kernel and the cluster say.
/// </summary>
public sealed class RouterActor : ReceiveActor
{
    private static readonly TimeSpan s_lookAtFlowsEvery = TimeSpan.FromSeconds(2);

    public RouterActor(RouterParts parts, LinkEndpoint endpoint, Action<Started> started)
    {
        var (book, engine, handover) = (parts.Book, parts.Engine, parts.Handover);
        var directory = Context.ActorOf(DirectoryActor.Props(book), "directory");
        var peers = Context.ActorOf(PeersActor.Props(engine, handover, book, endpoint), "peers");
        var flows = Context.ActorOf(FlowsActor.Props(parts.HandoverNews.Begun, handover.Statistics, s_lookAtFlowsEvery), "flows");
        parts.News.WatchLinks(peers);
        parts.HandoverNews.WatchAll(peers, flows);
        book.Changed += handover.LookAgain;
        var connections = new ConnectionCounters();
        var exchange = Context.ActorOf(ExchangeActor.Props(book), ExchangeActor.Name);
        var plane = new ControlPlane(
            engine, book, directory, new NumberAllocator(), parts.News, parts.Limits, handover, parts.HandoverNews, parts.AcceleratesPrivileged, exchange, connections, parts.Tenants);
        var containers = Context.ActorOf(ContainersActor.Props(plane, parts.ContainerLinger), "containers");
        started(new Started(book, peers, containers, flows, connections));
    }

    /// <summary>What the process wires to its sockets.</summary>
    public sealed record Started(AddressBook Book, IActorRef Peers, IActorRef Containers, IActorRef Flows, ConnectionCounters Connections);

    public static Props Props(RouterParts parts, LinkEndpoint endpoint, Action<Started> started) =>
        Akka.Actor.Props.Create(() => new RouterActor(parts, endpoint, started));
}

/// <summary>What the process has made before its actors, and what they go by.</summary>
public sealed record RouterParts(
    AddressBook Book,
    VerbsEngine Engine,
    EngineNews News,
    HandoverLoop Handover,
    HandoverNews HandoverNews,
    ConnectionLimits Limits,
    TimeSpan ContainerLinger,
    bool AcceleratesPrivileged,
    TenantRules Tenants);
