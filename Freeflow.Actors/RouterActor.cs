using Akka.Actor;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Draining;
using Freeflow.Actors.Membership;
using Freeflow.Actors.Peers;
using Freeflow.Actors.Flows;
using Freeflow.Actors.Inspection;
using Freeflow.Actors.Measuring;
using Freeflow.Actors.Policy;
using Freeflow.Actors.Roll;
using Freeflow.Actors.Seeds;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;

namespace Freeflow.Actors;

/// <summary>
/// The top of the control plane, /user/router. Its children live as long as the router; one that fails is started again,
/// with its state, if any, made anew from what the kernel and the cluster say.
/// </summary>
public sealed class RouterActor : ListedActor
{
    private static readonly TimeSpan s_lookAtFlowsEvery = TimeSpan.FromSeconds(2);

    public RouterActor(RouterParts parts, LinkEndpoint endpoint, Action<Started> started)
    {
        var (book, engine, handover) = (parts.Book, parts.Engine, parts.Handover);
        var directory = Context.ActorOf(DirectoryActor.Props(book), "directory");
        var peers = Context.ActorOf(PeersActor.Props(engine, handover, book, endpoint), "peers");
        var flows = Context.ActorOf(FlowsActor.Props(parts.HandoverNews.Begun, parts.HandoverNews.Accepted, parts.Policy.InForce, handover.Pacer, handover.Statistics, s_lookAtFlowsEvery), "flows");
        var system = Context.System;
        var reunion = Context.ActorOf(
            ReunionActor.Props(parts.Seeds.LookEvery, () => CoordinatedShutdown.Get(system).Run(CoordinatedShutdown.ClusterDowningReason.Instance)),
            ReunionActor.Name);
        Context.ActorOf(SeedsActor.Props(SeedMethods.Of(system, parts.Seeds), parts.Seeds, parts.LastMembers, reunion), SeedsActor.Name);
        parts.News.WatchLinks(peers);
        parts.HandoverNews.WatchAll(peers, flows);
        book.Changed += handover.LookAgain;
        // Once TCP mode has it, so that nothing begins by the one before that the flows' actor does not see.
        parts.Policy.InForce.Changed += _ => handover.CallBack(() => flows.Tell(FlowEvents.PolicyChanged.Instance));
        var policy = Context.ActorOf(PolicyActor.Props(parts.Policy), PolicyActor.Name);
        var connections = new ConnectionCounters();
        var exchange = Context.ActorOf(ExchangeActor.Props(book), ExchangeActor.Name);
        var plane = new ControlPlane(
            engine, book, directory, new NumberAllocator(), parts.News, parts.Limits, handover, parts.HandoverNews, parts.AcceleratesPrivileged, exchange, connections, parts.Tenants,
            parts.Policy.InForce);
        var containers = Context.ActorOf(ContainersActor.Props(plane, parts.ContainerLinger), "containers");
        Context.ActorOf(MeasurerActor.Props(engine, book, plane.Numbers), MeasurerActor.Name);
        var inspector = Context.ActorOf(InspectorActor.Props(containers, InspectorActor.Within), "inspector");
        started(new Started(book, peers, containers, flows, connections, inspector, policy, plane.Register, plane.Drain, plane.Numbers));
    }

    /// <summary>What the process wires to its sockets.</summary>
    public sealed record Started(
        AddressBook Book, IActorRef Peers, IActorRef Containers, IActorRef Flows, ConnectionCounters Connections, IActorRef Inspector, IActorRef Policy, ContainerRegister Register,
        DrainSwitch Drain, NumberAllocator Numbers);

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
    TenantRules Tenants,
    SeedSettings Seeds,
    LastMembers LastMembers,
    PolicySetting Policy);
