using Akka.Actor;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Tracing;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Connections;

// A descriptor of /dev/infiniband/rdma_cm: its commands go to the container's connection manager, which has its ids and events.
public sealed partial class ConnectionActor
{
    private readonly IActorRef _connectionManager;
    private ReadinessSignal? _readiness;

    private void OpenConnectionManager(ShimRequest request)
    {
        request.CloseDescriptors();
        _readiness = ReadinessSignal.Create();
        Context.Watch(_connectionManager);
        _connectionManager.Tell(new ConnectionManagerProtocol.Open(_readiness));
        ShownState = Kind;
        Become(ManagerIdle);
        _connection.Reply(new ShimReply(request.Type, request.Sequence, 0, Bytes(new ShimHelloReply { Version = ShimProtocol.Version }))
        {
            Descriptors = [_readiness.ApplicationEnd],
        });
    }

    private void ManagerIdle()
    {
        Receive<ShimEvents.Received>(received =>
        {
            var request = received.Request;
            _current = request;
            if (request.Type == ShimMessageType.Command && RdmaCmCall.TryParse(request.Payload) is { } call)
            {
                FileIdentity? other = request.Descriptors.Count > 0 ? FileIdentity.Of(request.Descriptors[0]) : null;
                _connectionManager.Tell(new ConnectionManagerProtocol.Call(call, other) { Origin = ControlTrace.IsOn ? Origin : default });
                Become(ManagerBusy);
            }
            else
            {
                Fail(Errno.EINVAL);
            }

            request.CloseDescriptors();
        });
        ManagerAlways();
    }

    private void ManagerBusy()
    {
        Receive<ShimEvents.Received>(Hold);
        Receive<ConnectionProtocol.Answer>(answer =>
        {
            Answer(answer);
            Become(ManagerIdle);
            _waiting = 0;
            Stash.UnstashAll();
        });
        ManagerAlways();
    }

    private void ManagerAlways()
    {
        Receive<Terminated>(_ => End("the container's connection manager has ended"));
        Receive<ConnectionProtocol.Broken>(_ => End("a defect in the router"));
        Always();
    }
}
