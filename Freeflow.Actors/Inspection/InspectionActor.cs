using Akka.Actor;

namespace Freeflow.Actors.Inspection;

/// <summary>
/// One question of an operator's: asks the containers' actor, counts who has been asked on its behalf, and answers when all have said
/// theirs or the time is over. It keeps no more QPs and MRs than are wanted, however many there are.
/// </summary>
public sealed class InspectionActor : ReceiveActor, IWithTimers
{
    private readonly IActorRef _containers;
    private readonly InspectionProtocol.Look _look;
    private readonly TimeSpan _within;
    private readonly Action<InspectionActor> _answer;
    private readonly List<ContainerSeen> _seen = [];
    private readonly List<ConnectionSeen> _connections = [];
    private readonly FirstByNumber<QueuePairSeen> _queuePairs;
    private readonly FirstByNumber<MemoryRegionSeen> _regions;
    private int _outstanding = 1;
    private int _notAsked;

    public InspectionActor(IActorRef containers, InspectionProtocol.Look look, TimeSpan within, Action<InspectionActor> answer)
    {
        (_containers, _look, _within, _answer) = (containers, look, within, answer);
        (_queuePairs, _regions) = (new(look.QueuePairs), new(look.MemoryRegions));
        Receive<InspectionProtocol.Seen>(Take);
        Receive<TimeIsOver>(_ => Finish());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="containers">The containers' actor.</param>
    /// <param name="limit">How many containers are wanted.</param>
    /// <param name="within">How long to wait.</param>
    /// <param name="asker">Who is answered.</param>
    public static Props OfContainers(IActorRef containers, int limit, TimeSpan within, IActorRef asker) => Akka.Actor.Props.Create(
        () => new InspectionActor(containers, new InspectionProtocol.Look(0), within, inspection => asker.Tell(inspection.Containers(limit), ActorRefs.NoSender)));

    /// <summary>The same for QPs.</summary>
    public static Props OfQueuePairs(IActorRef containers, int limit, TimeSpan within, IActorRef asker) => Akka.Actor.Props.Create(
        () => new InspectionActor(containers, new InspectionProtocol.Look(limit), within, inspection => asker.Tell(inspection.QueuePairs(), ActorRefs.NoSender)));

    /// <summary>The same for MRs.</summary>
    public static Props OfMemoryRegions(IActorRef containers, int limit, TimeSpan within, IActorRef asker) => Akka.Actor.Props.Create(
        () => new InspectionActor(containers, new InspectionProtocol.Look(0, limit), within, inspection => asker.Tell(inspection.MemoryRegions(), ActorRefs.NoSender)));

    protected override void PreStart()
    {
        Timers.StartSingleTimer("within", TimeIsOver.Instance, _within);
        _containers.Tell(_look);
    }

    private void Take(InspectionProtocol.Seen seen)
    {
        _outstanding += seen.Below - 1;
        _notAsked += seen.NotAsked;
        switch (seen.What)
        {
            case ContainerSeen container:
                _seen.Add(container);
                break;
            case ConnectionSeen connection:
                _connections.Add(connection);
                break;
            case QueuePairSeen queuePair:
                _queuePairs.Add(queuePair, queuePair.Number);
                break;
            case MemoryRegionSeen region:
                _regions.Add(region, region.Key);
                break;
        }

        if (_outstanding == 0)
            Finish();
    }

    private void Finish()
    {
        _answer(this);
        Context.Stop(Self);
    }

    private ContainersReport Containers(int limit)
    {
        var connections = _connections.ToLookup(connection => connection.Container);
        var all = _seen.OrderBy(container => container.Addresses.FirstOrDefault()?.Address, StringComparer.Ordinal).ThenBy(container => container.Id, StringComparer.Ordinal);
        return new ContainersReport(
            [.. all.Take(limit).Select(container => new ContainerReport(container, [.. connections[container.Id].OrderBy(connection => connection.Pid)]))],
            _seen.Count, _outstanding);
    }

    private QueuePairsReport QueuePairs()
    {
        var first = _queuePairs.InOrder;
        return new QueuePairsReport(first, Theirs(first.Select(queuePair => queuePair.Container)), _queuePairs.Added + _notAsked, _outstanding);
    }

    private MemoryRegionsReport MemoryRegions()
    {
        var first = _regions.InOrder;
        return new MemoryRegionsReport(first, Theirs(first.Select(region => region.Container)), _regions.Added + _notAsked, _outstanding);
    }

    private IReadOnlyList<ContainerSeen> Theirs(IEnumerable<string> ids)
    {
        var wanted = ids.ToHashSet();
        return [.. _seen.Where(container => wanted.Contains(container.Id))];
    }

    private sealed class TimeIsOver
    {
        public static TimeIsOver Instance { get; } = new();
    }
}
