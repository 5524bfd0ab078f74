using Akka.Actor;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Inspection;
using Freeflow.Verbs.Abi;

namespace Freeflow.Actors.QueuePairs;

// What the QP tells an operator.
public sealed partial class QueuePairActor
{
    private QueuePairEnds? _ends;

    private void Show(InspectionProtocol.LookAtQueuePair look)
    {
        var state = _engine is { State: QueuePairState.Error } ? QueuePairState.Error : _state;
        var ends = state is QueuePairState.Reset or QueuePairState.Init ? null : _ends;
        var router = ends is { } both ? _plane.Book.NodeOf(TenantAddress.Of(_spec.Device.Tenant, both.Remote)) : null;
        Sender.Tell(new InspectionProtocol.Seen(0, new QueuePairSeen(
            look.Container,
            look.Pid,
            _spec.Number,
            NameOf(Type),
            NameOf(state),
            ends?.Local.ToAddress().ToString(),
            ends?.Remote.ToAddress().ToString(),
            ends is null ? null : _attributes.DestQpNum,
            router,
            _engine?.SendsDone ?? 0,
            _engine?.SendsUnderWay ?? 0,
            _engine?.ReceivesTaken ?? 0)));
    }

    private static string NameOf(QueuePairType type) => type switch
    {
        QueuePairType.ReliableConnection => "RC",
        QueuePairType.UnreliableConnection => "UC",
        _ => "UD",
    };

    private static string NameOf(QueuePairState state) => state switch
    {
        QueuePairState.Reset => "RESET",
        QueuePairState.Init => "INIT",
        QueuePairState.ReadyToReceive => "RTR",
        QueuePairState.ReadyToSend => "RTS",
        QueuePairState.SendQueueDrain => "SQD",
        QueuePairState.SendQueueError => "SQE",
        _ => "ERR",
    };
}
