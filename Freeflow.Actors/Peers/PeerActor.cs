using System.Net;
using System.Security.Cryptography;
using Akka.Actor;
using Freeflow.Actors.Events;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Links;

namespace Freeflow.Actors.Peers;

/// <summary>
/// One other member: agrees a key with it over the cluster's own connection and keeps two links to it, one for the engines'
/// data and one for TCP mode. Of the two routers the one with the lower name offers the key and dials; a lost link is dialed
/// again, ever less often, while the member stays.
/// </summary>
public sealed class PeerActor : ListedActor, IWithTimers
{
    private static readonly TimeSpan s_firstWait = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_offerAgain = TimeSpan.FromMilliseconds(500);
    private static readonly LinkPurpose[] s_purposes = Enum.GetValues<LinkPurpose>();

    private readonly VerbsEngine _engine;
    private readonly HandoverLoop _handover;
    private readonly LinkEndpoint _own;
    private readonly string _node;
    private readonly Address _address;
    private readonly int _number;
    private readonly ActorSelection _theirPeers;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<LinkPurpose, TimeSpan> _waits = s_purposes.ToDictionary(purpose => purpose, _ => s_firstWait);
    private readonly HashSet<LinkPurpose> _up = [];
    private LinkCredential? _offered;
    private int _theirPort;

    public PeerActor(VerbsEngine engine, HandoverLoop handover, LinkEndpoint own, string node, Address address, int number)
    {
        _engine = engine;
        _handover = handover;
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

    public static Props Props(VerbsEngine engine, HandoverLoop handover, LinkEndpoint own, string node, Address address, int number) =>
        Akka.Actor.Props.Create(() => new PeerActor(engine, handover, own, node, address, number));

    /// <summary>Here, after the last message, so that no offer that was under way leaves a key behind.</summary>
    protected override void PostStop()
    {
        _stop.Cancel();
        _own.Credentials.TryRemove(_node, out _);
    }

    /// <summary>The other dials: take its key, take its links.</summary>
    private void Awaiting()
    {
        Receive<PeerProtocol.Offer>(offer =>
        {
            _own.Credentials[_node] = new LinkCredential(offer.Key);
            _theirPeers.Tell(new PeerProtocol.Accept(_own.Node, _own.Port));
        });
        Receive<PeerEvents.LinkAccepted>(accepted => Attach(accepted.Link));
        LinkNews();
    }

    private void Offering()
    {
        _offered = new LinkCredential(RandomNumberGenerator.GetBytes(32));
        Timers.StartPeriodicTimer("offer", Offer.Instance, TimeSpan.Zero, s_offerAgain);
        Receive<Offer>(_ => _theirPeers.Tell(new PeerProtocol.Offer(_own.Node, _offered!.Key)));
        Receive<PeerProtocol.Accept>(accept =>
        {
            Timers.Cancel("offer");
            _theirPort = accept.LinkPort;
            Become(Dialing);
            foreach (var purpose in s_purposes)
                Dial(purpose);
        });
        LinkNews();
    }

    private void Dialing()
    {
        Receive<DialAgain>(again => Dial(again.Purpose));
        Receive<AuthenticatedLink>(link =>
        {
            _waits[link.Purpose] = s_firstWait;
            Attach(link);
        });
        Receive<NotDialed>(failed =>
        {
            Context.Report(
                EventKind.LinkNotDialed,
                $"{failed.Purpose} link to {_node}: {failed.Reason.Message}; next try in {_waits[failed.Purpose].TotalMilliseconds} ms", ("router", _node), ("link", failed.Purpose));
            if (failed.Reason is InvalidDataException)
                Become(Offering);
            else
                DialLater(failed.Purpose);
        });
        Receive<PeerEvents.LinkDown>(down =>
        {
            Tell(down);
            DialLater(down.Purpose);
        });
        LinkNews();
    }

    private void LinkNews()
    {
        Receive<PeerEvents.LinkUp>(up =>
        {
            Context.Report(EventKind.LinkUp, $"{up.Purpose} link to {_node} is up", ("router", _node), ("link", up.Purpose));
            Show(up.Purpose, isUp: true);
        });
        Receive<PeerEvents.LinkDown>(Tell);
        Receive<AuthenticatedLink>(late => late.Dispose());
        ReceiveAny(_ => { });
    }

    private void Tell(PeerEvents.LinkDown down)
    {
        Context.Report(EventKind.LinkDown, $"{down.Purpose} link to {_node} is down: {down.Reason}", ("router", _node), ("link", down.Purpose), ("reason", down.Reason));
        Show(down.Purpose, isUp: false);
    }

    private void Show(LinkPurpose purpose, bool isUp)
    {
        if (isUp)
            _up.Add(purpose);
        else
            _up.Remove(purpose);
        ShownState = $"{_up.Count} of {s_purposes.Length} links up";
    }

    private void Attach(AuthenticatedLink link)
    {
        var how = link.IsEncrypted ? "encrypted" : "authenticated, and not encrypted";
        Context.Report(EventKind.LinkAgreed, $"{link.Purpose} link to {_node} is {how}", ("router", _node), ("link", link.Purpose), ("encrypted", link.IsEncrypted));
        if (link.Purpose == LinkPurpose.Data)
            _engine.AttachLink(_number, link);
        else
            _handover.AttachLink(_number, link);
    }

    private void DialLater(LinkPurpose purpose)
    {
        var wait = _waits[purpose];
        Timers.StartSingleTimer(purpose, new DialAgain(purpose), wait);
        _waits[purpose] = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, s_longestWait.Ticks));
    }

    private void Dial(LinkPurpose purpose)
    {
        var to = new IPEndPoint(IPAddress.Parse(_address.Host!), _theirPort);
        LinkDialer.DialAsync(_own.Address, to, _own.Node, _node, purpose, _offered!, _own.Encrypt, _stop.Token)
            .PipeTo(Self, failure: reason => new NotDialed(purpose, reason));
    }

    private sealed class Offer
    {
        public static Offer Instance { get; } = new();
    }

    private sealed record DialAgain(LinkPurpose Purpose);

    private sealed record NotDialed(LinkPurpose Purpose, Exception Reason);
}
