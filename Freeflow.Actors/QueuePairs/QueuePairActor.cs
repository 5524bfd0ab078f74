using System.ComponentModel;
using Akka.Actor;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Events;
using Freeflow.Actors.Inspection;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Rings;

namespace Freeflow.Actors.QueuePairs;

/// <summary>
/// One QP: RESET → INIT → RTR → RTS → SQD / ERR. It checks every change as the kernel does, finds out at RTR which router
/// the peer is on, and hands the engine what that needs to run alone. Like InfiniBand's, RTR asks nobody: whether the
/// peer agrees is checked with every message.
/// </summary>
public sealed partial class QueuePairActor : ListedActor
{
    private const byte SmallestMtu = 1;

    private readonly QueuePairSpec _spec;
    private readonly ControlPlane _plane;
    private readonly UverbsCall _creation;
    private EngineQueuePair? _engine;
    private ModifyQpCommand _attributes = new() { PathMtu = SmallestMtu };
    private QueuePairState _state = QueuePairState.Reset;

    private QueuePairType Type => (QueuePairType)_spec.Command.QpType;

    public QueuePairActor(QueuePairSpec spec, UverbsCall creation)
    {
        _spec = spec;
        _plane = spec.Plane;
        _creation = creation;
        Become(() => Being(QueuePairState.Reset));
    }

    public static Props Props(QueuePairSpec spec, UverbsCall creation) =>
        Akka.Actor.Props.Create(() => new QueuePairActor(spec, creation));

    protected override void PreStart()
    {
        var command = _spec.Command;
        try
        {
            var wanted = new QueuePairCapabilities(
                (int)command.MaxSendWr, (int)command.MaxRecvWr, (int)command.MaxSendSge, (int)command.MaxRecvSge, (int)command.MaxInlineData);
            _engine = EngineQueuePair.Create(
                _spec.Connection, _spec.Handle, _spec.Number, _spec.Domain, Type,
                _spec.SendCq, _spec.ReceiveCq, wanted, command.SqSigAll != 0, _spec.Shared);
        }
        catch (Win32Exception)
        {
            Context.Parent.Tell(new ConnectionProtocol.NotCreated(Self, Errno.ENOMEM));
            return;
        }

        _plane.News.Watch(_engine, Self);
        _plane.Engine.Add(_engine);
        SharedRing[] rings = _spec.Shared is null ? [_engine.ReceiveRing, _engine.SendRing] : [_engine.SendRing];
        Context.Parent.Tell(new ConnectionProtocol.Created(Self, _engine, rings, Respond));
    }

    protected override void PostStop()
    {
        if (_engine is not null)
            _plane.News.Forget(_engine);
    }

    private byte[] Respond(MmapInfo[] rings)
    {
        // The receive ring comes first; with an SRQ there is none.
        if (_spec.Shared is not null)
            rings = [default, .. rings];
        var made = _engine!.Capabilities;
        var core = new CreateQpResponse
        {
            QpHandle = _spec.Handle,
            QpNumber = _spec.Number,
            MaxSendWr = _spec.Command.MaxSendWr,
            MaxRecvWr = _spec.Command.MaxRecvWr,
            MaxSendSge = (uint)made.MaxSendSge,
            MaxRecvSge = (uint)made.MaxRecvSge,
            MaxInlineData = (uint)made.MaxInline,
        };
        return _creation.IsExtended
            ? _creation.Respond(new ExCreateQpResponse { Base = core, ResponseLength = 40 }, rings)
            : _creation.Respond(core, rings);
    }

    /// <summary>One behaviour a state: what a change needs depends on where it starts.</summary>
    private void Being(QueuePairState state)
    {
        _state = state;
        ShownState = NameOf(state);
        Receive<QueuePairProtocol.Modify>(modify => Change(state, modify));
        Receive<InspectionProtocol.LookAtQueuePair>(Show);
        Receive<QueuePairProtocol.Query>(query => Context.Parent.Tell(new ConnectionProtocol.Answer(0, query.Call.Respond(Attributes()))));
        Receive<QueuePairProtocol.Destroy>(_ =>
        {
            var (self, parent) = (Self, Context.Parent);
            _plane.Engine.Remove(_engine!, () => parent.Tell(new ConnectionProtocol.Removed(self, 0)));
        });
        Receive<QueuePairEvents.Failed>(failed => Fail(failed.Fault));
        Receive<QueuePairEvents.Established>(_ => Raise(AsyncEventType.CommunicationEstablished));
        Receive<QueuePairEvents.LastReceiveTaken>(_ => Raise(AsyncEventType.QpLastWqeReached));
        Receive<QueuePairEvents.Drained>(_ => Raise(AsyncEventType.SendQueueDrained));
        Receive<Changed>(_ =>
        {
            // The engine has the last word: it may have failed the QP meanwhile.
            Become(() => Being(_engine!.State));
            Context.Parent.Tell(ConnectionProtocol.Answer.Done);
        });
    }

    private void Change(QueuePairState from, QueuePairProtocol.Modify modify)
    {
        var asked = QueuePairChecks.WithPortOfPath(modify.Command);
        var mask = (QueuePairAttributes)asked.AttrMask;
        var command = QueuePairChecks.RoundUp(asked);
        var to = (mask & QueuePairAttributes.State) != 0 ? (QueuePairState)command.QpState : from;
        if (QueuePairChecks.HasRightPorts(asked, _attributes.PortNum) && (mask & QueuePairAttributes.AddressVector) != 0
            && QueuePairEnds.Read(asked.Dest, modify.Device, out var fault) is null && fault == Errno.ENODATA)
        {
            Refuse(fault);
            return;
        }

        if (!QueuePairChecks.AreInRange(asked)
            || ((mask & QueuePairAttributes.CurrentState) != 0 && (QueuePairState)command.CurQpState != from)
            || !QueuePairTransitions.IsAllowed(Type, from, to, mask)
            || (to != QueuePairState.Error && (mask & QueuePairAttributes.State) != 0 && _engine!.IsDraining))
        {
            Refuse(Errno.EINVAL);
            return;
        }

        if (to == QueuePairState.ReadyToReceive && from != to && _plane.Drain.IsOn)
        {
            Refuse(Errno.ENETDOWN);
            return;
        }

        var change = ChangeOf(to, mask, command);
        if ((mask & QueuePairAttributes.AddressVector) == 0)
        {
            Apply(change, mask, command);
            return;
        }

        if (QueuePairEnds.Read(command.Dest, modify.Device, out var errno) is not { } ends)
        {
            Refuse(errno);
            return;
        }

        if (!_plane.Policy.Current.AllowsPair(modify.Device.EnginePort, ends.Local, ends.Remote))
        {
            Context.Report(
                EventKind.QueuePairForbidden,
                $"QP {_spec.Number}: the policy does not allow {ends.Local.ToAddress()} and {ends.Remote.ToAddress()} to talk",
                ("qpn", _spec.Number), ("local", ends.Local.ToAddress()), ("peer", ends.Remote.ToAddress()));
            Refuse(Errno.EACCES);
            return;
        }

        change = change with { LocalGid = ends.Local, RemoteGid = ends.Remote };
        var remote = TenantAddress.Of(modify.Device.Tenant, ends.Remote);
        if (_plane.Book.PeerOf(remote) is { } peer)
        {
            Apply(change with { Peer = peer }, mask, command);
            return;
        }

        // The peer's container may have come up a moment ago, and its address still be on its way here.
        _plane.Directory.Tell(new DirectoryProtocol.Find(remote));
        Become(() => Resolving(from, change, mask, command));
    }

    /// <summary>Waits for the directory, which answers within a bound, as the kernel waits for a neighbour.</summary>
    private void Resolving(QueuePairState from, QueuePairChange change, QueuePairAttributes mask, ModifyQpCommand command)
    {
        Receive<InspectionProtocol.LookAtQueuePair>(Show);
        Receive<DirectoryProtocol.Found>(found =>
        {
            Become(() => Being(from));
            Apply(change with { Peer = found.Peer }, mask, command);
        });
        Receive<DirectoryProtocol.NotFound>(missing =>
        {
            Context.Report(
                EventKind.PeerAddressUnknown, $"QP {_spec.Number}: no router has {missing.Address.Address.ToAddress()}",
                ("qpn", _spec.Number), ("address", missing.Address.Address.ToAddress()));
            Become(() => Being(from));
            Refuse(Errno.ETIMEDOUT);
        });
        Receive<QueuePairEvents.Failed>(failed =>
        {
            Refuse(Errno.EINVAL);
            Fail(failed.Fault);
        });
    }

    private void Apply(QueuePairChange change, QueuePairAttributes mask, in ModifyQpCommand command)
    {
        Remember(mask, command);
        if (change is { LocalGid: { } local, RemoteGid: { } remote })
            _ends = new QueuePairEnds(local, remote);
        var self = Self;
        _plane.Engine.Modify(_engine!, change, () => self.Tell(Changed.Instance));
    }

    private static QueuePairChange ChangeOf(QueuePairState to, QueuePairAttributes mask, in ModifyQpCommand command)
    {
        bool Has(QueuePairAttributes attribute) => (mask & attribute) != 0;
        return new QueuePairChange
        {
            State = to,
            RemoteQpn = Has(QueuePairAttributes.DestinationQpn) ? command.DestQpNum : null,
            SqPsn = Has(QueuePairAttributes.SqPsn) ? command.SqPsn : null,
            RqPsn = Has(QueuePairAttributes.RqPsn) ? command.RqPsn : null,
            Qkey = Has(QueuePairAttributes.Qkey) ? command.Qkey : null,
            Timeout = Has(QueuePairAttributes.Timeout) ? command.Timeout : null,
            RetryCount = Has(QueuePairAttributes.RetryCount) ? command.RetryCnt : null,
            RnrRetry = Has(QueuePairAttributes.RnrRetry) ? command.RnrRetry : null,
            MinRnrTimer = Has(QueuePairAttributes.MinRnrTimer) ? command.MinRnrTimer : null,
            MaxReadAtomic = Has(QueuePairAttributes.MaxQpRdAtomic) ? command.MaxRdAtomic : null,
            MaxDestReadAtomic = Has(QueuePairAttributes.MaxDestRdAtomic) ? command.MaxDestRdAtomic : null,
            Access = Has(QueuePairAttributes.AccessFlags) ? (AccessFlags)command.QpAccessFlags : null,
            NotifyDrained = Has(QueuePairAttributes.EnableSqdAsyncNotify) && command.EnSqdAsyncNotify != 0,
        };
    }

    private void Remember(QueuePairAttributes mask, in ModifyQpCommand command)
    {
        bool Has(QueuePairAttributes attribute) => (mask & attribute) != 0;
        if (Has(QueuePairAttributes.AddressVector))
            _attributes.Dest = command.Dest;
        if (Has(QueuePairAttributes.Qkey))
            _attributes.Qkey = command.Qkey;
        if (Has(QueuePairAttributes.RqPsn))
            _attributes.RqPsn = command.RqPsn;
        if (Has(QueuePairAttributes.SqPsn))
            _attributes.SqPsn = command.SqPsn;
        if (Has(QueuePairAttributes.DestinationQpn))
            _attributes.DestQpNum = command.DestQpNum;
        if (Has(QueuePairAttributes.AccessFlags))
            _attributes.QpAccessFlags = command.QpAccessFlags;
        if (Has(QueuePairAttributes.PkeyIndex))
            _attributes.PkeyIndex = command.PkeyIndex;
        if (Has(QueuePairAttributes.PathMtu))
            _attributes.PathMtu = command.PathMtu;
        if (Has(QueuePairAttributes.MaxQpRdAtomic))
            _attributes.MaxRdAtomic = command.MaxRdAtomic;
        if (Has(QueuePairAttributes.MaxDestRdAtomic))
            _attributes.MaxDestRdAtomic = command.MaxDestRdAtomic;
        if (Has(QueuePairAttributes.MinRnrTimer))
            _attributes.MinRnrTimer = command.MinRnrTimer;
        if (Has(QueuePairAttributes.Port))
            _attributes.PortNum = command.PortNum;
        if (Has(QueuePairAttributes.Timeout))
            _attributes.Timeout = command.Timeout;
        if (Has(QueuePairAttributes.RetryCount))
            _attributes.RetryCnt = command.RetryCnt;
        if (Has(QueuePairAttributes.RnrRetry))
            _attributes.RnrRetry = command.RnrRetry;
    }

    private QueryQpResponse Attributes()
    {
        var made = _engine!.Capabilities;

        // It may have failed a moment ago. A UD QP's messages are packets, whose numbers the engine knows.
        var state = _engine.State == QueuePairState.Error ? QueuePairState.Error : _state;
        var isDatagram = Type == QueuePairType.UnreliableDatagram;
        return new QueryQpResponse
        {
            Dest = _attributes.Dest,
            MaxSendWr = (uint)_engine.SendRing.Capacity,
            MaxRecvWr = _spec.Shared is not null ? 0 : (uint)_engine.ReceiveRing.Capacity,
            MaxSendSge = (uint)made.MaxSendSge,
            MaxRecvSge = _spec.Shared is not null ? 0 : (uint)made.MaxRecvSge,
            MaxInlineData = (uint)made.MaxInline,
            Qkey = _attributes.Qkey,
            RqPsn = isDatagram ? _engine.ExpectedPsn : _attributes.RqPsn,
            SqPsn = isDatagram ? _engine.NextPsn : _attributes.SqPsn,
            DestQpNum = _attributes.DestQpNum,
            QpAccessFlags = _attributes.QpAccessFlags,
            PkeyIndex = _attributes.PkeyIndex,
            QpState = (byte)state,
            CurQpState = (byte)state,
            PathMtu = _attributes.PathMtu,
            MaxRdAtomic = _attributes.MaxRdAtomic,
            MaxDestRdAtomic = _attributes.MaxDestRdAtomic,
            MinRnrTimer = _attributes.MinRnrTimer,
            PortNum = _attributes.PortNum,
            Timeout = _attributes.Timeout,
            RetryCnt = _attributes.RetryCnt,
            RnrRetry = _attributes.RnrRetry,
            SqDraining = _engine.IsDraining ? (byte)1 : (byte)0,
            SqSigAll = _spec.Command.SqSigAll,
        };
    }

    private void Refuse(int errno) => Context.Parent.Tell(ConnectionProtocol.Answer.Error(errno));

    private void Fail(QueuePairFault fault)
    {
        Become(() => Being(QueuePairState.Error));
        Context.Report(
            EventKind.QueuePairError, $"QP {_spec.Number} of {_ends?.Local.ToAddress().ToString() ?? "no address"} is in the error state: {WordsOf(fault)}",
            ("qpn", _spec.Number), ("fault", fault), ("local", _ends?.Local.ToAddress()), ("peer", _ends?.Remote.ToAddress()));
        switch (fault)
        {
            case QueuePairFault.InvalidRequest:
                Raise(AsyncEventType.QpRequestError);
                break;
            case QueuePairFault.AccessViolation:
                Raise(AsyncEventType.QpAccessError);
                break;
            case QueuePairFault.Fatal:
                Raise(AsyncEventType.QpFatal);
                break;
        }
    }

    private static string WordsOf(QueuePairFault fault) => fault switch
    {
        QueuePairFault.Completion => "a work request has failed",
        QueuePairFault.InvalidRequest => "its peer has asked for what it may not",
        QueuePairFault.AccessViolation => "its peer has asked for memory that it may not reach",
        _ => "its completions find no room",
    };

    private void Raise(AsyncEventType type) =>
        Context.Parent.Tell(new ConnectionProtocol.AsyncEvent(type, _spec.Command.UserHandle));

    private sealed class Changed
    {
        public static Changed Instance { get; } = new();
    }
}
