using System.Net;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Freeflow.Actors.ClusterTransport;
using Freeflow.Actors.Events;
using Freeflow.Actors.Membership;
using Freeflow.Actors.Roll;

namespace Freeflow.Actors.Seeds;

/// <summary>
/// Finds this router's cluster: looks for seeds, asks them once a second whether they are in one, and does what <see cref="Gathering"/> says.
/// As a member it goes on looking for seeds, seldom, and tells <see cref="ReunionActor"/>, which looks for those that are no members.
/// Akka's own way of joining needs to be told all seeds beforehand.
/// </summary>
public sealed class SeedsActor : ListedActor, IWithTimers
{
    public const string Name = "seeds";

    private const int MissedAgainAfter = 10;
    private const int MostTold = 256;

    private static readonly TimeSpan s_askEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_joinAgainAfter = TimeSpan.FromSeconds(15);

    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly SeedFinder _finder;
    private readonly SeedSettings _settings;
    private readonly IActorRef _reunion;
    private readonly LastMembers _lastMembers;
    private readonly Gathering _gathering;
    private readonly TimeSpan _startedAt = Now;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<IPEndPoint, string> _undialed = [];
    private readonly HashSet<DialFailure> _told = [];
    private SeedsFound _seeds = new("", []);
    private SeedProbe? _probe;
    private bool _isFinding, _isOpening, _isKeeping;
    private IReadOnlyList<IPEndPoint> _kept = [];
    private IReadOnlyList<IPEndPoint> _joining = [];
    private TimeSpan _joiningSince, _missedAt;

    public SeedsActor(SeedFinder finder, SeedSettings settings, LastMembers lastMembers, IActorRef reunion)
    {
        (_finder, _settings, _lastMembers, _reunion) = (finder, settings, lastMembers, reunion);
        _gathering = new Gathering(settings.Own, settings.FormAfter, lastMembers.AtStart);
        _missedAt = _startedAt + settings.MissedAfter;
        Become(Looking);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private static TimeSpan Now => Context.System.Scheduler.MonotonicClock;

    public static Props Props(SeedFinder finder, SeedSettings settings, LastMembers lastMembers, IActorRef reunion) =>
        Akka.Actor.Props.Create(() => new SeedsActor(finder, settings, lastMembers, reunion));

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent));
        Timers.StartPeriodicTimer(Look.Instance, Look.Instance, TimeSpan.Zero, s_askEvery);
    }

    protected override void PostStop()
    {
        _cluster.Unsubscribe(Self);
        _probe?.Dispose();
    }

    private void Looking()
    {
        ShownState = "looking";
        Receive<Look>(_ =>
        {
            Find();
            AskAll();
            Act();
            TellOfWhatIsMissed();
        });
        Receive<SeedsFound>(found =>
        {
            _isFinding = false;
            Take(found);
            AskAll();
            Act();
        });
        Receive<SeedProbe>(probe =>
        {
            (_isOpening, _probe) = (false, probe);
            AskAll();
        });
        Receive<DialFailure>(Take);
        // Of the probe's opening; it is tried again.
        Receive<Status.Failure>(_ => _isOpening = false);
        Receive<ReunionProtocol.Census>(answer =>
        {
            if (Address.TryParse(answer.From, out var router) && SeedAddress.EndPointOf(router) is { } from)
                _gathering.Heard(from, answer.Members, answer.First, Now);
            Act();
        });
        Receive<ClusterEvent.IMemberEvent>(changed =>
        {
            if (changed.Member.UniqueAddress.Equals(_cluster.SelfUniqueAddress) && IsInCluster(changed.Member))
                Become(Joined);
        });
    }

    private void Joined()
    {
        ShownState = "joined";
        _probe?.Dispose();
        _probe = null;
        _reunion.Tell(new SeedProtocol.Known(_seeds));
        Timers.StartPeriodicTimer(Look.Instance, Look.Instance, _settings.LookEvery);
        Receive<Look>(_ => Find());
        Receive<SeedsFound>(found =>
        {
            _isFinding = false;
            Take(found);
            _reunion.Tell(new SeedProtocol.Known(found));
        });
        Receive<SeedProbe>(late => late.Dispose());
        Receive<Kept>(kept =>
        {
            _isKeeping = false;
            if (kept.Problem is { } problem)
                _log.Warning("Membership: the members can't be kept for the next start: {0}", problem);
            Keep();
        });
        Receive<Status.Failure>(_ => { });
        Receive<ReunionProtocol.Census>(_ => { });
        Receive<DialFailure>(_ => { });
        Receive<ClusterEvent.IMemberEvent>(_ => Keep());
    }

    private static bool IsInCluster(Member member) => member.Status is MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Up;

    /// <summary>Writes down who else is a member, for the next start, where that has changed.</summary>
    private void Keep()
    {
        // Whoever leaves sees the others go.
        if (!IsInCluster(_cluster.SelfMember))
            return;
        IReadOnlyList<IPEndPoint> members =
        [
            .. _cluster.State.Members
                .Where(member => IsInCluster(member) && !member.UniqueAddress.Equals(_cluster.SelfUniqueAddress))
                .Select(member => SeedAddress.EndPointOf(member.Address))
                .OfType<IPEndPoint>()
                .Order(AddressOrder.Instance),
        ];
        if (_isKeeping || members.SequenceEqual(_kept))
            return;
        (_isKeeping, _kept) = (true, members);
        _lastMembers.KeepAsync(members).PipeTo(Self, success: () => new Kept(null), failure: problem => new Kept(problem.Message));
    }

    private void Find()
    {
        if (_isFinding)
            return;
        _isFinding = true;
        _finder.FindAsync().PipeTo(Self);
    }

    private void Take(SeedsFound found)
    {
        if (!found.Equals(_seeds) && found.At.Count > 0)
        {
            Context.Report(
                EventKind.SeedsFound, $"Membership: seeds: {found}", ("by", found.Method), ("seeds", string.Join(", ", found.At)));
        }

        _seeds = found;
        if (_gathering.Found(found, Now))
            _undialed.Clear();
    }

    /// <summary>A seed that is not there yet is no news; one that wants another certificate is, once for each reason.</summary>
    private void Take(DialFailure failure)
    {
        if (SeedAddress.EndPointOf(failure.To) is not { } seed)
            return;
        _undialed[seed] = failure.Reason;
        if (failure.IsDistrust && _told.Count < MostTold && _told.Add(failure))
            _log.Warning("Cluster: {0} does not answer: {1}", seed, failure.Reason);
    }

    private void AskAll()
    {
        var others = _gathering.Others;
        if (!others.Any())
            return;
        if (_probe is { } probe)
        {
            var census = ReunionProtocol.Census.OfNone(_cluster.SelfAddress);
            foreach (var seed in others)
                probe.Tell(SeedAddress.Of(seed, _cluster.SelfAddress), census);
        }
        else if (!_isOpening)
        {
            _isOpening = true;
            var (system, self) = (Context.System, Self);
            Task.Run(() => new SeedProbe(system, self, self)).PipeTo(self);
        }
    }

    private void Act()
    {
        switch (_gathering.Next(Now))
        {
            case JoinStep.Form:
                Join([_settings.Own], "starting a cluster");
                break;
            case JoinStep.Join { Members: var members }:
                Join(members, $"joining the cluster of {members[0]}");
                break;
        }
    }

    /// <summary>Akka tries for a while by itself; what it was told before, it drops.</summary>
    private void Join(IReadOnlyList<IPEndPoint> members, string what)
    {
        if (members.SequenceEqual(_joining) && Now - _joiningSince < s_joinAgainAfter)
            return;
        (_joining, _joiningSince) = (members, Now);
        ShownState = what;
        _cluster.JoinSeedNodes(members.Select(member => SeedAddress.Of(member, _cluster.SelfAddress)));
    }

    private void TellOfWhatIsMissed()
    {
        if (Now < _missedAt)
            return;
        _missedAt = Now + MissedAgainAfter * _settings.MissedAfter;
        var silent = _gathering.Silent(Now).ToList();
        var why = _seeds.At.Count == 0 ? "no seeds are found"
            : silent.Count == 0 ? $"none of the seeds is in one ({_seeds}), and it is not for this router to start it"
            : $"no router answers at {string.Join(", ", silent.Select(WithReason))} (by {_seeds.Method})";
        var problems = string.Concat(_seeds.Problems.Select(problem => "; " + problem));
        Context.Report(
            EventKind.SeedsMissed,
            $"Membership: this router has been looking for its cluster for {(Now - _startedAt).TotalSeconds:0} s: {why}{problems}; it goes on looking",
            ("seeds", string.Join(", ", _seeds.At)), ("silent", string.Join(", ", silent)));
    }

    private string WithReason(IPEndPoint seed) => _undialed.TryGetValue(seed, out var reason) ? $"{seed} ({reason})" : $"{seed}";

    private sealed record Kept(string? Problem);

    private sealed record Look
    {
        public static readonly Look Instance = new();
    }
}
