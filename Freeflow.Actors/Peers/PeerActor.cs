using System.Net;
using System.Security.Cryptography;
using Akka.Actor;
using Akka.Event;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Links;

namespace Freeflow.Actors.Peers;

/// <summary>
/// One other member: agrees a key with it over the cluster's own connection and keeps a data link to it. Of the two the
/// one with the lower name offers the key and dials; a lost link is dialed again, ever less often, while the member stays.
/// </summary>
public sealed class PeerActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan s_firstWait = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_offerAgain = TimeSpan.FromMilliseconds(500);

    private readonly VerbsEngine _engine;
    private readonly LinkEndpoint _own;
    private readonly string _node;
    private readonly Address _address;
    private readonly int _number;
    private readonly ActorSelection _theirPeers;
    private readonly CancellationTokenSource _stop = new();
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private TimeSpan _wait = s_firstWait;
    private LinkCredential? _offered;
    private int _theirPort;

    public PeerActor(VerbsEngine engine, LinkEndpoint own, string node, Address address, int number)
    {
        _engine = engine;
        _own = own;
        _node = node;
        _address = address;
        _number = number;
        _theirPeers = Context.ActorSelection(new RootActorPath(address) / "user" / "router" / "peers");
        if (string.CompareOrdinal(own.Node, node) < 0)
            Become(Offering);
        else
            Become(Awaiting);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(VerbsEngine engine, LinkEndpoint own, string node, Address address, int number) =>
        Akka.Actor.Props.Create(() => new PeerActor(engine, own, node, address, number));

    protected override void PostStop() => _stop.Cancel();

    /// <summary>The other dials: take its key, take its links.</summary>
    private void Awaiting()
    {
        Receive<PeerProtocol.Offer>(offer =>
        {
            _own.Credentials[_node] = new LinkCredential(offer.Key);
            _theirPeers.Tell(new PeerProtocol.Accept(_own.Node, _own.Port));
        });
        Receive<PeerEvents.LinkAccepted>(accepted => _engine.AttachLink(_number, accepted.Link));
        LinkNews();
    }

    private void Offering()
    {
        _offered = new LinkCredential(RandomNumberGenerator.GetBytes(32));
        Timers.StartPeriodicTimer("offer", Tick.Instance, TimeSpan.Zero, s_offerAgain);
        Receive<Tick>(_ => _theirPeers.Tell(new PeerProtocol.Offer(_own.Node, _offered!.Key)));
        Receive<PeerProtocol.Accept>(accept =>
        {
            Timers.Cancel("offer");
            _theirPort = accept.LinkPort;
            Become(Dialing);
            Dial();
        });
        LinkNews();
    }

    private void Dialing()
    {
        Receive<Tick>(_ => Dial());
        Receive<AuthenticatedLink>(link =>
        {
            _wait = s_firstWait;
            _engine.AttachLink(_number, link);
        });
        Receive<Status.Failure>(failure =>
        {
            _log.Warning("Data link to {0}: {1}; next try in {2} ms", _node, failure.Cause.Message, _wait.TotalMilliseconds);
            if (failure.Cause is InvalidDataException)
                Become(Offering);
            else
                DialLater();
        });
        Receive<PeerEvents.LinkDown>(down =>
        {
            _log.Warning("Data link to {0} is down: {1}", _node, down.Reason);
            DialLater();
        });
        LinkNews();
    }

    private void LinkNews()
    {
        Receive<PeerEvents.LinkUp>(_ => _log.Info("Data link to {0} is up", _node));
        Receive<PeerEvents.LinkDown>(down => _log.Warning("Data link to {0} is down: {1}", _node, down.Reason));
        ReceiveAny(_ => { });
    }

    private void DialLater()
    {
        Timers.StartSingleTimer("dial", Tick.Instance, _wait);
        _wait = TimeSpan.FromTicks(Math.Min(_wait.Ticks * 2, s_longestWait.Ticks));
    }

    private void Dial()
    {
        var to = new IPEndPoint(IPAddress.Parse(_address.Host!), _theirPort);
        LinkDialer.DialAsync(_own.Address, to, _own.Node, _node, _offered!, _stop.Token).PipeTo(Self);
    }

    private sealed class Tick
    {
        public static Tick Instance { get; } = new();
    }
}
