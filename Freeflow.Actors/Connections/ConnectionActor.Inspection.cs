using Akka.Actor;
using Freeflow.Actors.Inspection;

namespace Freeflow.Actors.Connections;

// What the connection tells an operator.
public sealed partial class ConnectionActor
{
    private string Kind => _engineConnection is not null ? "verbs" : _process is not null ? "tcp" : _readiness is not null ? "rdma_cm" : "new";

    private void Show(InspectionProtocol.Look look)
    {
        var pairs = _queuePairs.Items.Take(look.QueuePairs).ToList();
        var regions = _regions.Items.Take(look.MemoryRegions).ToList();
        var container = _connection.Namespace.Id.ToString();
        var objects = new ObjectCounts(
            _queuePairs.Count, _completionQueues.Count, _regions.Count, _windows.Count, _sharedQueues.Count, _domains.Count, _addressHandles.Count, _registeredBytes);
        var notAsked = (look.QueuePairs > 0 ? _queuePairs.Count - pairs.Count : 0) + (look.MemoryRegions > 0 ? _regions.Count - regions.Count : 0);
        Sender.Tell(new InspectionProtocol.Seen(pairs.Count + regions.Count, new ConnectionSeen(container, _connection.PeerPid, Kind, objects), notAsked));
        var ask = new InspectionProtocol.LookAtQueuePair(container, _connection.PeerPid);
        foreach (var pair in pairs)
            pair.Actor.Forward(ask);
        var askRegion = new InspectionProtocol.LookAtMemoryRegion(container, _connection.PeerPid);
        foreach (var region in regions)
            region.Actor.Forward(askRegion);
    }
}
