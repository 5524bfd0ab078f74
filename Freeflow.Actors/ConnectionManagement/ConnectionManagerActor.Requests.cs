using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;

namespace Freeflow.Actors.ConnectionManagement;

// Requests of others: which id listens, and a new one for each request that may wait there.
public sealed partial class ConnectionManagerActor
{
    private long _nextName;

    private void BeAsked(ConnectionManagerProtocol.Incoming incoming)
    {
        var (request, from) = (incoming.Request, incoming.From);
        if (_byAsker.TryGetValue(from, out var known))
        {
            // Said again, because the answer was lost.
            known.Actor.Tell(request, from);
            return;
        }

        _plane.Connections.Requested();
        var family = (RdmaAddressFamily)request.Route.Family;
        var destination = new RdmaAddress(family, new Gid(request.Route.Destination), request.Route.Service, 0, 0);
        var listening = _ports.Find(request.Route.Service, destination, out var isKnown);
        if (listening is not { } number || !_ids.TryGet(number, out var listener))
        {
            // Somebody who listens there, but not at this address, refuses; else there is no such service.
            Refuse(incoming, isKnown ? RejectReason.ConsumerDefined : RejectReason.InvalidServiceId);
            return;
        }

        var limit = request.IsLookup ? CommunicationProtocol.LookupData : CommunicationProtocol.RequestData;
        if (request.PrivateData.Length > limit)
        {
            Refuse(incoming, RejectReason.ConsumerDefined);
            return;
        }

        if (listener.Backlog == 0 || !_ids.HasRoom || listener.Queue.IsFull)
        {
            // As the kernel: not refused, since there may be room when it is said again.
            _plane.Connections.Refused();
            return;
        }

        var space = (PortSpace)(ushort)(request.Route.Service >> 16);
        var type = request.IsLookup ? QueuePairType.UnreliableDatagram : QueuePairType.ReliableConnection;
        listener.Backlog--;
        var id = Add(
            listener.Queue,
            0,
            own => CommunicationIdActor.Props(new CommunicationIdSpec(_plane, _ports, _device, own, 0, space, type), request, from),
            from);
        listener.Queue.Add(new WaitingEvent(
            listener,
            new RdmaCmEventResponse
            {
                Uid = listener.Uid,
                Id = id.Number,
                Event = RdmaCmEventType.ConnectRequest,
                Param = CommunicationIdActor.ParametersOf(request),
                Ece = new EnhancedConnection { VendorId = request.End.EceVendor, AttrMod = request.End.EceOptions },
            },
            id));
    }

    private void Refuse(ConnectionManagerProtocol.Incoming incoming, byte reason)
    {
        _plane.Connections.Refused();
        if (incoming.Request.IsLookup)
        {
            var status = reason == RejectReason.InvalidServiceId ? LookupStatus.Unsupported : LookupStatus.Reject;
            incoming.From.Tell(new CommunicationProtocol.Found(status, 0, 0, []), Self);
        }
        else
        {
            incoming.From.Tell(new CommunicationProtocol.Reject(reason, []), Self);
        }
    }
}
