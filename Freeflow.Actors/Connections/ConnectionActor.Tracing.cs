using Freeflow.Actors.Tracing;
using Freeflow.Verbs.Channel;

namespace Freeflow.Actors.Connections;

// The span of the call under way. Those of rdma_cm are begun where it is known what they are a part of.
public sealed partial class ConnectionActor
{
    private ControlSpan _span;

    private CallOrigin Origin => new(_connection.Namespace.Id.ToString(), _device.Tenant.Name, _connection.PeerPid);

    private ControlSpan SpanOf(ShimRequest request) => !ControlTrace.IsOn ? default : request.Type switch
    {
        ShimMessageType.Command => ControlTrace.Call(UverbsMethods.CommandOf(request.Payload.Span), Origin),
        ShimMessageType.Share => ControlTrace.Call(CallName.SharePages, Origin),
        ShimMessageType.Listen => ControlTrace.Call(CallName.TcpListen, Origin),
        ShimMessageType.Resolve => ControlTrace.Call(CallName.TcpResolve, Origin),
        _ => default,
    };
}
