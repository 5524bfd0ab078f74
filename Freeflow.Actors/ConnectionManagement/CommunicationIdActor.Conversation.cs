using Akka.Actor;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Tracing;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.ConnectionManagement;

// What the two ends say to each other. What may be lost is said again, as often and as long as the kernel's CM does it.
public sealed partial class CommunicationIdActor
{
    // CMA_CM_RESPONSE_TIMEOUT, CMA_MAX_CM_RETRIES, CMA_CM_MRA_SETTING: exponents of 4.096 µs, and how often.
    private const int ResponseTimeout = 20;
    private const int PendingTimeout = 24;
    private const int MaximumRetries = 15;

    /// <summary>CMA_IBOE_PACKET_LIFETIME, an exponent likewise: nothing is under way longer.</summary>
    private const byte PacketLifetime = 16;

    // A goodbye that was under way when its sender ended may be overtaken by the news of that.
    private static readonly TimeSpan s_lastWords = TimeSpan.FromMilliseconds(500);

    private IActorRef _peer;
    private TracedMessage? _said;
    private CommunicationProtocol.Request? _question;
    private int _retries;
    private TimeSpan _patience;

    private static TimeSpan Exponent(int exponent) => TimeSpan.FromMicroseconds(4.096 * (1L << exponent));

    private void ReceiveMessages()
    {
        Receive<SayAgain>(_ => SayItAgain());
        Receive<WaitedOut>(_ =>
        {
            if (_conversation != ConversationState.TimeWait)
                return;
            _conversation = ConversationState.Over;
            Raise(RdmaCmEventType.TimewaitExit);
        });
        Receive<Terminated>(_ => Timers.StartSingleTimer(nameof(PeerGone), PeerGone.Instance, s_lastWords));
        Receive<PeerGone>(_ => LosePeer());
        Receive<CommunicationProtocol.Request>(_ => AnswerAgain());
        Receive<CommunicationProtocol.Pending>(_ => BePending());
        Receive<CommunicationProtocol.Reply>(reply => BeAccepted(reply));
        Receive<CommunicationProtocol.Found>(BeFound);
        Receive<CommunicationProtocol.Ready>(ready =>
        {
            if (!IsPeer() || _conversation != ConversationState.ReplySent)
                return;
            using var span = Heed(ready);
            BeEstablished();
        });
        Receive<CommunicationProtocol.Reject>(BeRejected);
        Receive<CommunicationProtocol.Disconnect>(BeDisconnected);
        Receive<CommunicationProtocol.Disconnected>(last =>
        {
            if (!IsPeer() || _conversation != ConversationState.DisconnectSent)
                return;
            using var span = Heed(last);
            WaitOut();
            BeToldDisconnected(0);
        });
    }

    private bool IsPeer() => Sender.Equals(_peer);

    /// <summary>The first thing that a passive id does.</summary>
    private void BeAsked(CommunicationProtocol.Request request)
    {
        var route = request.Route;
        var family = (RdmaAddressFamily)route.Family;
        _source = new RdmaAddress(family, new(route.Destination), ServiceOf(family, route.Service), ulong.MaxValue, 0);
        _destination = new RdmaAddress(family, new(route.Source), ServiceOf(family, route.SourceService), ulong.MaxValue, 0);
        _typeOfService = route.TrafficClass;
        _theirs = request.End;
        _isOnDevice = _hasRoute = true;
        _cause = request.Cause;
        _state = CommunicationIdState.Connect;
        _conversation = ConversationState.RequestReceived;
        Context.Watch(_peer);
        if (!request.IsLookup)
            Say(CommunicationProtocol.Pending.Instance);
    }

    private static ulong ServiceOf(RdmaAddressFamily family, ulong service) => family == RdmaAddressFamily.Ib ? service : (ushort)service;

    private void Ask(CommunicationProtocol.Request request)
    {
        _question = request.For(_cause);
        _retries = MaximumRetries;
        _patience = Exponent(ResponseTimeout);
        SayItNow();
    }

    /// <summary>Says something to the peer until it answers.</summary>
    private void Insist(TracedMessage message)
    {
        _question = null;
        _said = message.For(_cause);
        _retries = MaximumRetries;
        _patience = Exponent(ResponseTimeout);
        SayItNow();
    }

    private void SayItNow()
    {
        // First, so that who hears it knows that it will be said again.
        Timers.StartSingleTimer(nameof(SayAgain), SayAgain.Instance, _patience);
        if (_question is null)
            _peer.Tell(_said, Self);
        else
            ToExchange(_question);
    }

    /// <summary>To the exchange of whichever router has the destination now; where none has it, nobody hears.</summary>
    private void ToExchange(CommunicationProtocol.Request request)
    {
        var node = _plane.Book.NodeOf(TenantAddress.Of(_device.Tenant, _destination.Gid));
        if (node is null)
            return;
        if (_plane.Book.IsOwn(node))
            _plane.Exchange.Tell(request, Self);
        else if (NodeName.AddressOf(node) is { } address)
            Context.ActorSelection(new RootActorPath(address) / "user" / "router" / ExchangeActor.Name).Tell(request, Self);
    }

    private void SayItAgain()
    {
        if (_conversation is not (ConversationState.RequestSent or ConversationState.ReplySent or ConversationState.DisconnectSent))
            return;
        var isGone = _question is not null && _plane.Book.NodeOf(TenantAddress.Of(_device.Tenant, _destination.Gid)) is null;
        if (_retries-- > 0 && !isGone)
            SayItNow();
        else
            NoAnswer();
    }

    /// <summary>The peer has not answered in all the time that the specification gives it, or never can.</summary>
    private void NoAnswer()
    {
        var was = _conversation;
        Finish(was == ConversationState.DisconnectSent ? ConversationState.TimeWait : ConversationState.Over);
        if (was == ConversationState.DisconnectSent)
        {
            WaitOut();
            BeToldDisconnected(-Errno.ETIMEDOUT);
            return;
        }

        if (was == ConversationState.ReplySent)
            Say(new CommunicationProtocol.Reject(RejectReason.Timeout, []));
        Raise(RdmaCmEventType.Unreachable, -Errno.ETIMEDOUT);
    }

    private void LosePeer()
    {
        switch (_conversation)
        {
            case ConversationState.RequestSent:
            case ConversationState.ReplySent:
            case ConversationState.DisconnectSent:
                NoAnswer();
                break;
            case ConversationState.RequestReceived:
            case ConversationState.ReplyReceived:
                Finish(ConversationState.Over);
                Raise(RdmaCmEventType.Unreachable, -Errno.ETIMEDOUT);
                break;
            case ConversationState.Established:
                // A kernel would find out by what the application sends; here it is known already.
                WaitOut();
                BeToldDisconnected(-Errno.ETIMEDOUT);
                break;
        }
    }

    private void Finish(ConversationState state)
    {
        _conversation = state;
        Timers.Cancel(nameof(SayAgain));
    }

    private void WaitOut()
    {
        Finish(ConversationState.TimeWait);
        Timers.StartSingleTimer(nameof(WaitedOut), WaitedOut.Instance, Exponent(AckTimeout));
    }

    private void Follow(IActorRef peer)
    {
        _peer = peer;
        Context.Watch(peer);
    }

    private void BePending()
    {
        if (_conversation != ConversationState.RequestSent)
            return;
        if (_peer.IsNobody())
            Follow(Sender);
        _patience = Exponent(PendingTimeout) + Exponent(ResponseTimeout);
        Timers.StartSingleTimer(nameof(SayAgain), SayAgain.Instance, _patience);
    }

    private void AnswerAgain()
    {
        if (!IsPeer())
            return;
        if (_conversation == ConversationState.RequestReceived && !IsDatagram)
            Say(CommunicationProtocol.Pending.Instance);
        else if (_said is not null && _conversation is ConversationState.ReplySent or ConversationState.Over)
            _peer.Tell(_said, Self);
    }

    private void BeAccepted(CommunicationProtocol.Reply reply)
    {
        if (reply.End is null || reply.PrivateData is null)
            return;
        if (_conversation == ConversationState.Established && IsPeer())
        {
            Say(CommunicationProtocol.Ready.Instance);
            return;
        }

        if (_conversation != ConversationState.RequestSent)
            return;
        if (!IsPeer())
            Follow(Sender);
        using var span = Heed(reply);
        Finish(ConversationState.ReplyReceived);
        _theirs = reply.End;
        var ece = new EnhancedConnection { VendorId = _theirs.EceVendor, AttrMod = _theirs.EceOptions };
        Raise(
            RdmaCmEventType.ConnectResponse,
            0,
            RdmaCmEventParameters.Of(ParametersOf(_theirs, reply.PrivateData, CommunicationProtocol.ReplyData)),
            ece);
    }

    private void BeEstablished()
    {
        Finish(ConversationState.Established);
        _plane.Connections.Established();
        _cause = default;
        Raise(RdmaCmEventType.Established);
    }

    private void BeRejected(CommunicationProtocol.Reject reject)
    {
        var isExpected = _conversation switch
        {
            // From whom the exchange has chosen, or from the exchange itself.
            ConversationState.RequestSent => true,
            ConversationState.RequestReceived or ConversationState.ReplySent or ConversationState.ReplyReceived or ConversationState.Established => IsPeer(),
            _ => false,
        };
        if (!isExpected || reject.PrivateData is null)
            return;
        using var span = Heed(reject).With(RejectReason.Attribute, (int)reject.Reason);
        Finish(ConversationState.Over);
        Raise(
            RdmaCmEventType.Rejected,
            reject.Reason,
            RdmaCmEventParameters.Of(ParametersOf(Nothing, reject.PrivateData, CommunicationProtocol.RejectData)));
    }

    private void BeDisconnected(CommunicationProtocol.Disconnect asked)
    {
        if (!IsPeer())
            return;
        switch (_conversation)
        {
            case ConversationState.Established:
            case ConversationState.ReplySent:
            case ConversationState.DisconnectSent:
                using (Heed(asked))
                    Finish(ConversationState.DisconnectReceived);
                BeToldDisconnected(0);
                break;
            case ConversationState.TimeWait:
            case ConversationState.Over:
                Say(CommunicationProtocol.Disconnected.Instance);
                break;
        }
    }

    private void BeToldDisconnected(int status)
    {
        if (TryMove(CommunicationIdState.Connect, CommunicationIdState.Disconnect))
            Raise(RdmaCmEventType.Disconnected, status);
    }

    /// <summary>The id ends, whatever the reason: its peer is told, as the kernel tells it.</summary>
    private void SayGoodbye()
    {
        TracedMessage? last = _conversation switch
        {
            ConversationState.RequestSent => new CommunicationProtocol.Reject(RejectReason.Timeout, []),
            ConversationState.RequestReceived when IsDatagram => new CommunicationProtocol.Found(LookupStatus.Reject, 0, 0, []),
            ConversationState.RequestReceived or ConversationState.ReplySent or ConversationState.ReplyReceived =>
                new CommunicationProtocol.Reject(RejectReason.ConsumerDefined, []),
            ConversationState.Established => CommunicationProtocol.Disconnect.Instance,
            ConversationState.DisconnectReceived => CommunicationProtocol.Disconnected.Instance,
            _ => null,
        };
        if (last is not null)
            Say(last);
    }

    private sealed class SayAgain
    {
        public static SayAgain Instance { get; } = new();
    }

    private sealed class WaitedOut
    {
        public static WaitedOut Instance { get; } = new();
    }

    private sealed class PeerGone
    {
        public static PeerGone Instance { get; } = new();
    }
}
