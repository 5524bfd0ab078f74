using Akka.Actor;
using Freeflow.Actors.Roll;

namespace Freeflow.Actors.Inspection;

/// <summary>Whom the operator's questions about containers, QPs and MRs are put to: a child for each gathers the answers.</summary>
public sealed class InspectorActor : ListedActor
{
    /// <summary>How long the actors may take. They have nothing to wait for: those that are late have a mailbox full of work.</summary>
    public static readonly TimeSpan Within = TimeSpan.FromSeconds(3);

    public InspectorActor(IActorRef containers, TimeSpan within)
    {
        Receive<InspectionProtocol.Containers>(question => Context.ActorOf(InspectionActor.OfContainers(containers, question.Limit, within, Sender)));
        Receive<InspectionProtocol.QueuePairs>(question => Context.ActorOf(InspectionActor.OfQueuePairs(containers, question.Limit, within, Sender)));
        Receive<InspectionProtocol.MemoryRegions>(question => Context.ActorOf(InspectionActor.OfMemoryRegions(containers, question.Limit, within, Sender)));
    }

    public static Props Props(IActorRef containers, TimeSpan within) => Akka.Actor.Props.Create(() => new InspectorActor(containers, within));

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);
}
