using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Freeflow.Actors.Events;
using Freeflow.Actors.Roll;
using Freeflow.Actors.Seeds;

namespace Freeflow.Actors.Membership;

/// <summary>
/// Makes one cluster again of two, after the network between them was away: it looks for seeds that are no members, and when it
/// finds one in a larger cluster it ends this router, to be started and to join anew. (A cluster of Akka's has no way to be merged
/// with another, and an actor system no way to join a second one.)
/// </summary>
public sealed class ReunionActor : ListedActor, IWithTimers
{
    public const string Name = "reunion";

    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly TimeSpan _every;
    private readonly Action _end;
    private Address[] _seeds = [];
    private SeedProbe? _probe;
    private bool _isOpening;

    /// <param name="every">How often to look.</param>
    /// <param name="end">Ends the router.</param>
    public ReunionActor(TimeSpan every, Action end)
    {
        _every = every;
        _end = end;
        Receive<Look>(_ => LookForSeeds());
        Receive<SeedProbe>(probe =>
        {
            _isOpening = false;
            _probe = probe;
            LookForSeeds();
        });
        Receive<Status.Failure>(failure =>
        {
            _isOpening = false;
            _log.Warning("Membership: can't look for seeds that are no members: {0}", failure.Cause.Message);
        });
        Receive<SeedProtocol.Known>(known => _seeds = [.. known.Seeds.At.Select(seed => SeedAddress.Of(seed, _cluster.SelfAddress))]);
        Receive<ReunionProtocol.Census>(census => census.Members == 0, AnswerTheLonely);
        Receive<ReunionProtocol.Census>(Compare);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>The members that are up, the lowest first.</summary>
    private Address[] Up => [.. _cluster.State.Members.Where(member => member.Status == MemberStatus.Up).Select(member => member.Address).Order(Member.AddressOrdering)];

    public static Props Props(TimeSpan every, Action end) => Akka.Actor.Props.Create(() => new ReunionActor(every, end));

    protected override void PreStart() => Timers.StartPeriodicTimer(Look.Instance, Look.Instance, _every);

    protected override void PostStop() => _probe?.Dispose();

    private void LookForSeeds()
    {
        var up = Up;
        var missing = _seeds.Except(_cluster.State.Members.Select(member => member.Address)).ToArray();
        if (missing.Length == 0 || !up.Contains(_cluster.SelfAddress))
        {
            _probe?.Dispose();
            _probe = null;
        }
        else if (_probe is { } probe)
        {
            foreach (var seed in missing)
                probe.Tell(seed, Own(up, wanted: true));
        }
        else if (!_isOpening)
        {
            _isOpening = true;
            Context.Report(
                EventKind.SeedsSought, $"Membership: looking every {_every} for seeds that are no members: {string.Join(", ", missing.Select(seed => seed.ToString()))}");
            var (system, self) = (Context.System, Self);
            Task.Run(() => new SeedProbe(system, self)).PipeTo(self);
        }
    }

    /// <summary>Also where an earlier incarnation of it is a member still.</summary>
    private void AnswerTheLonely(ReunionProtocol.Census other)
    {
        if (!other.Wanted)
            return;
        var up = Up;
        Sender.Tell(up.Contains(_cluster.SelfAddress) ? Own(up, wanted: false) : ReunionProtocol.Census.OfNone(_cluster.SelfAddress) with { Wanted = false });
    }

    private void Compare(ReunionProtocol.Census other)
    {
        var up = Up;
        if (!up.Contains(_cluster.SelfAddress) || _cluster.State.Members.Any(member => member.Address.ToString() == other.From))
            return;
        if (other.Wanted)
            Sender.Tell(Own(up, wanted: false));
        var staysHere = up.Length > other.Members || (up.Length == other.Members && string.CompareOrdinal(up[0].ToString(), other.First) < 0);
        if (staysHere)
            return;
        Context.Report(
            EventKind.RouterRejoins,
            $"Membership: this router ends, so that when it is started it can join the cluster of {other.From}, with {other.Members} members up", ("router", other.From));
        _end();
        Context.Stop(Self);
    }

    private ReunionProtocol.Census Own(Address[] up, bool wanted) => new(_cluster.SelfAddress.ToString(), up.Length, up[0].ToString(), wanted);

    private sealed record Look
    {
        public static readonly Look Instance = new();
    }
}
