using Akka.Actor;
using Akka.Cluster;
using Freeflow.Actors.Events;

namespace Freeflow.Actors.Membership;

/// <summary>
/// Decides who is downed. Of two members nobody can tell whether the other is dead or out of reach, and every strategy of the
/// resolver's then ends one router for the other's death, with all its containers' connections. So both go on alone, and find
/// each other again by <see cref="ReunionActor"/>. From three members on the resolver, which runs below this actor, decides.
/// </summary>
public sealed class DowningActor : ReceiveActor, IWithTimers
{
    private const int ResolversFewest = 3;

    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly Dictionary<UniqueAddress, Member> _members = [];
    private readonly HashSet<UniqueAddress> _unreachable = [];
    private readonly Props _resolverProps;
    private readonly TimeSpan _stableAfter;
    private IActorRef? _resolver;

    public DowningActor(Props resolver, TimeSpan stableAfter)
    {
        _resolverProps = resolver;
        _stableAfter = stableAfter;
        Receive<ClusterEvent.MemberRemoved>(removed =>
        {
            _members.Remove(removed.Member.UniqueAddress);
            _unreachable.Remove(removed.Member.UniqueAddress);
            Look();
        });
        Receive<ClusterEvent.IMemberEvent>(changed =>
        {
            _members[changed.Member.UniqueAddress] = changed.Member;
            Look();
        });
        Receive<ClusterEvent.UnreachableMember>(lost =>
        {
            _unreachable.Add(lost.Member.UniqueAddress);
            Look();
        });
        Receive<ClusterEvent.ReachableMember>(back =>
        {
            _unreachable.Remove(back.Member.UniqueAddress);
            Look();
        });
        Receive<Stable>(_ => DownTheUnreachable());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private bool IsResolvers => _members.Values.Count(member => member.Status is MemberStatus.Up or MemberStatus.Leaving) >= ResolversFewest;

    public static Props Props(Props resolver, TimeSpan stableAfter) => Akka.Actor.Props.Create(() => new DowningActor(resolver, stableAfter));

    protected override void PreStart() => _cluster.Subscribe(
        Self,
        ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
        typeof(ClusterEvent.IMemberEvent),
        typeof(ClusterEvent.IReachabilityEvent));

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    /// <summary>Any change starts the wait anew: as long as there are changes, more may be out of reach.</summary>
    private void Look()
    {
        if (IsResolvers)
        {
            Timers.Cancel(Stable.Instance);
            _resolver ??= Context.ActorOf(_resolverProps);
            return;
        }

        if (_resolver is { } resolver)
        {
            Context.Stop(resolver);
            _resolver = null;
        }

        if (_unreachable.Count == 0)
            Timers.Cancel(Stable.Instance);
        else
            Timers.StartSingleTimer(Stable.Instance, Stable.Instance, _stableAfter);
    }

    private void DownTheUnreachable()
    {
        foreach (var node in _unreachable)
        {
            Context.Report(
                EventKind.MemberGivenUp, $"Membership: {node.Address} has been out of reach for {_stableAfter}; this router goes on without it", ("router", node.Address));
            _cluster.Down(node.Address);
        }
    }

    private sealed record Stable
    {
        public static readonly Stable Instance = new();
    }
}
