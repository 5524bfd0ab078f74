using Freeflow.Verbs.Abi;
using static Freeflow.Verbs.Abi.QueuePairAttributes;
using State = Freeflow.Verbs.Abi.QueuePairState;

namespace Freeflow.Actors.QueuePairs;

/// <summary>
/// Which attributes each change of a QP's state needs and allows, by transport (InfiniBand specification, table 96; the kernel's
/// ib_modify_qp_is_ok). RESET and ERR can be reached from everywhere, ERR but from RESET.
/// </summary>
public static class QueuePairTransitions
{
    private const QueuePairAttributes Access = QueuePairAttributes.AccessFlags;
    private const QueuePairAttributes Migration = AlternatePath | PathMigState;
    private const QueuePairAttributes ReliableRunning = CurrentState | Access | MinRnrTimer | Migration;
    private const QueuePairAttributes UnreliableRunning = CurrentState | Access | Migration;
    private const QueuePairAttributes DatagramRunning = CurrentState | Qkey;

    private static readonly Rules s_reliable = new()
    {
        [(State.Reset, State.Init)] = (PkeyIndex | Port | Access, None),
        [(State.Init, State.Init)] = (None, PkeyIndex | Port | Access),
        [(State.Init, State.ReadyToReceive)] = (
            AddressVector | PathMtu | DestinationQpn | RqPsn | MaxDestRdAtomic | MinRnrTimer, AlternatePath | Access | PkeyIndex),
        [(State.ReadyToReceive, State.ReadyToSend)] = (QueuePairAttributes.Timeout | RetryCount | RnrRetry | SqPsn | MaxQpRdAtomic, ReliableRunning),
        [(State.ReadyToSend, State.ReadyToSend)] = (None, ReliableRunning),
        [(State.ReadyToSend, State.SendQueueDrain)] = (None, EnableSqdAsyncNotify),
        [(State.SendQueueDrain, State.ReadyToSend)] = (None, ReliableRunning),
        [(State.SendQueueDrain, State.SendQueueDrain)] = (
            None,
            Port | AddressVector | QueuePairAttributes.Timeout | RetryCount | RnrRetry | MaxQpRdAtomic | MaxDestRdAtomic | AlternatePath
            | Access | PkeyIndex | MinRnrTimer | PathMigState),
    };

    private static readonly Rules s_unreliable = new()
    {
        [(State.Reset, State.Init)] = (PkeyIndex | Port | Access, None),
        [(State.Init, State.Init)] = (None, PkeyIndex | Port | Access),
        [(State.Init, State.ReadyToReceive)] = (AddressVector | PathMtu | DestinationQpn | RqPsn, AlternatePath | Access | PkeyIndex),
        [(State.ReadyToReceive, State.ReadyToSend)] = (SqPsn, UnreliableRunning),
        [(State.ReadyToSend, State.ReadyToSend)] = (None, UnreliableRunning),
        [(State.ReadyToSend, State.SendQueueDrain)] = (None, EnableSqdAsyncNotify),
        [(State.SendQueueDrain, State.ReadyToSend)] = (None, UnreliableRunning),
        [(State.SendQueueDrain, State.SendQueueDrain)] = (None, AddressVector | Access | PkeyIndex | Migration),
        [(State.SendQueueError, State.ReadyToSend)] = (None, CurrentState | Access),
    };

    private static readonly Rules s_datagram = new()
    {
        [(State.Reset, State.Init)] = (PkeyIndex | Port | Qkey, None),
        [(State.Init, State.Init)] = (None, PkeyIndex | Port | Qkey),
        [(State.Init, State.ReadyToReceive)] = (None, PkeyIndex | Qkey),
        [(State.ReadyToReceive, State.ReadyToSend)] = (SqPsn, DatagramRunning),
        [(State.ReadyToSend, State.ReadyToSend)] = (None, DatagramRunning),
        [(State.ReadyToSend, State.SendQueueDrain)] = (None, EnableSqdAsyncNotify),
        [(State.SendQueueDrain, State.ReadyToSend)] = (None, DatagramRunning),
        [(State.SendQueueDrain, State.SendQueueDrain)] = (None, PkeyIndex | Qkey),
        [(State.SendQueueError, State.ReadyToSend)] = (None, DatagramRunning),
    };

    /// <summary>Whether a QP of a transport may go from one state to the other with just these attributes.</summary>
    public static bool IsAllowed(QueuePairType type, State from, State to, QueuePairAttributes mask)
    {
        if ((mask & CurrentState) != 0 && from is not (State.ReadyToReceive or State.ReadyToSend or State.SendQueueDrain or State.SendQueueError))
            return false;
        if (to == State.Reset || (to == State.Error && from != State.Reset))
            return (mask & ~QueuePairAttributes.State) == 0;
        var rules = type switch
        {
            QueuePairType.ReliableConnection => s_reliable,
            QueuePairType.UnreliableConnection => s_unreliable,
            _ => s_datagram,
        };
        return rules.TryGetValue((from, to), out var rule)
            && (mask & rule.Required) == rule.Required
            && (mask & ~(rule.Required | rule.Optional | QueuePairAttributes.State)) == 0;
    }

    private sealed class Rules : Dictionary<(State From, State To), (QueuePairAttributes Required, QueuePairAttributes Optional)>;
}
