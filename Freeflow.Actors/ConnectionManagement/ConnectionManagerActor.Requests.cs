using Freeflow.Actors.Tracing;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.ConnectionManagement;

// Requests of others: which id listens, and a new one for each request that may wait there.
public sealed partial class ConnectionManagerActor
{
    private long _nextName;

    private void BeAsked(ConnectionManagerProtocol.Incoming incoming)
    {
        using var span = incoming.Span;
        var (request, from) = (incoming.Request, incoming.From);
        if (_byAsker.TryGetValue(from, out var known))
        {
            // Said again, because the answer was lost.
            span.With("freeflow.repeated", true);
            known.Actor.Tell(request, from);
            return;
        }

        _plane.Connections.Requested();
        var family = (RdmaAddressFamily)request.Route.Family;
        var destination = new RdmaAddress(family, new Gid(request.Route.Destination), request.Route.Service, 0, 0);
        var route = request.Route;
        if (!_plane.Policy.Current.Decide(route.Tenant, new Gid(route.Source), destination.Gid, (ushort)route.Service, PolicyMode.Rdma).Allowed)
        {
            // As if nobody listened: who may not connect need not know who does.
            Refuse(incoming, RejectReason.InvalidServiceId);
            return;
        }

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
            span.With("freeflow.unheard", true);
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
        incoming.Span.With(RejectReason.Attribute, (int)reason);
        var cause = incoming.Request.Cause;
        if (incoming.Request.IsLookup)
        {
            var status = reason == RejectReason.InvalidServiceId ? LookupStatus.Unsupported : LookupStatus.Reject;
            incoming.From.Tell(new CommunicationProtocol.Found(status, 0, 0, []).For(cause), Self);
        }
        else
        {
            incoming.From.Tell(new CommunicationProtocol.Reject(reason, []).For(cause), Self);
        }
    }
}
