using Freeflow.Verbs.Abi;
using static Freeflow.Verbs.Abi.QueuePairAttributes;
using State = Freeflow.Verbs.Abi.QueuePairState;

namespace Freeflow.Actors.QueuePairs;

/// <summary>
/// Which attributes each change of an RC QP's state needs and allows (InfiniBand specification, table 96; the kernel's
/// ib_modify_qp_is_ok). RESET and ERR can be reached from everywhere.
/// </summary>
public static class QueuePairTransitions
{
    private const QueuePairAttributes Running =
        CurrentState | QueuePairAttributes.AccessFlags | AlternatePath | MinRnrTimer | PathMigState;

    private static readonly Dictionary<(State From, State To), (QueuePairAttributes Required, QueuePairAttributes Optional)> s_table = new()
    {
        [(State.Reset, State.Init)] = (PkeyIndex | Port | QueuePairAttributes.AccessFlags, None),
        [(State.Init, State.Init)] = (None, PkeyIndex | Port | QueuePairAttributes.AccessFlags),
        [(State.Init, State.ReadyToReceive)] = (
            AddressVector | PathMtu | DestinationQpn | RqPsn | MaxDestRdAtomic | MinRnrTimer,
            AlternatePath | QueuePairAttributes.AccessFlags | PkeyIndex),
        [(State.ReadyToReceive, State.ReadyToSend)] = (QueuePairAttributes.Timeout | RetryCount | RnrRetry | SqPsn | MaxQpRdAtomic, Running),
        [(State.ReadyToSend, State.ReadyToSend)] = (None, Running),
        [(State.ReadyToSend, State.SendQueueDrain)] = (None, EnableSqdAsyncNotify),
        [(State.SendQueueDrain, State.ReadyToSend)] = (None, Running),
        [(State.SendQueueDrain, State.SendQueueDrain)] = (
            None,
            Port | AddressVector | QueuePairAttributes.Timeout | RetryCount | RnrRetry | MaxQpRdAtomic | MaxDestRdAtomic | AlternatePath
            | QueuePairAttributes.AccessFlags | PkeyIndex | MinRnrTimer | PathMigState),
    };

    /// <summary>Whether a QP may go from one state to the other with just these attributes.</summary>
    public static bool IsAllowed(State from, State to, QueuePairAttributes mask)
    {
        if (to is State.Reset or State.Error)
            return (mask & ~(QueuePairAttributes.State | CurrentState)) == 0;
        return s_table.TryGetValue((from, to), out var rule)
            && (mask & rule.Required) == rule.Required
            && (mask & ~(rule.Required | rule.Optional | QueuePairAttributes.State)) == 0;
    }
}
