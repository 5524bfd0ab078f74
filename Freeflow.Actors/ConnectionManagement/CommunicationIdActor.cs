using Akka.Actor;
using Akka.Event;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.ConnectionManagement;

/// <summary>
/// One rdma_cm id. It stands for the kernel's <c>rdma_cm_id</c> and the <c>ib_cm_id</c> below it, which have a state each: what the
/// application has done with it, and what the two ends have said to each other. Nearly every command is allowed in certain
/// pairs of them, so the states are fields here and no behaviours.
/// </summary>
public sealed partial class CommunicationIdActor : ListedActor, IWithTimers
{
    private readonly CommunicationIdSpec _spec;
    private readonly ControlPlane _plane;
    private readonly CommunicationProtocol.Request? _request;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private ContainerDevice _device;
    private ulong _uid;
    private CommunicationIdState _state = CommunicationIdState.Idle;
    private ConversationState _conversation = ConversationState.None;

    public CommunicationIdActor(CommunicationIdSpec spec, CommunicationProtocol.Request? request, IActorRef peer)
    {
        _spec = spec;
        _plane = spec.Plane;
        _device = spec.Device;
        _uid = spec.Uid;
        _request = request;
        _peer = peer;
        Receive<ConnectionManagerProtocol.Call>(call => Sender.Tell(Serve(call)));
        Receive<ConnectionManagerProtocol.DeviceChanged>(changed => _device = changed.Device);
        ReceiveAddresses();
        ReceiveMessages();
        ReceiveJoins();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(CommunicationIdSpec spec) => Props(spec, null, ActorRefs.Nobody);

    /// <summary>An id for a request that has come; <paramref name="peer"/> is who asks.</summary>
    public static Props Props(CommunicationIdSpec spec, CommunicationProtocol.Request? request, IActorRef peer) =>
        Akka.Actor.Props.Create(() => new CommunicationIdActor(spec, request, peer));

    protected override void PreStart()
    {
        if (_request is not null)
            BeAsked(_request);
    }

    protected override void PostStop()
    {
        SayGoodbye();
        if (_binding is not null)
            _spec.Ports.Release(_binding);
        if (_state == CommunicationIdState.Listen)
            _plane.Connections.Listening(-1);
    }

    private ConnectionProtocol.Answer Serve(RdmaCmCall call) => call.Command switch
    {
        RdmaCmCommand.BindIp => BindIp(call),
        RdmaCmCommand.Bind => Bind(call),
        RdmaCmCommand.ResolveIp => ResolveIp(call),
        RdmaCmCommand.ResolveAddr => ResolveAddress(call),
        RdmaCmCommand.ResolveRoute => ResolveRoute(call),
        RdmaCmCommand.QueryRoute => QueryRoute(call),
        RdmaCmCommand.Query => Query(call),
        RdmaCmCommand.SetOption => SetOption(call),
        RdmaCmCommand.Listen => Listen(call),
        RdmaCmCommand.Connect => Connect(call),
        RdmaCmCommand.Accept => Accept(call),
        RdmaCmCommand.Reject => Reject(call),
        RdmaCmCommand.Disconnect => Disconnect(),
        RdmaCmCommand.InitQpAttr => InitQpAttr(call),
        RdmaCmCommand.Notify => Notify(call),
        _ => ConnectionProtocol.Answer.Error(Errno.EINVAL),
    };

    private bool IsDatagram => _spec.Type == QueuePairType.UnreliableDatagram;

    private bool TryMove(CommunicationIdState from, CommunicationIdState to)
    {
        if (_state != from)
            return false;
        _state = to;
        return true;
    }

    /// <summary>Tells the application something. What befalls a request before it is accepted has no one to hear it.</summary>
    private void Raise(RdmaCmEventType type, int status = 0, RdmaCmEventParameters parameters = default, EnhancedConnection ece = default)
    {
        if (_uid == 0)
            return;
        Context.Parent.Tell(new ConnectionManagerProtocol.Raise(new RdmaCmEventResponse
        {
            Uid = _uid,
            Id = _spec.Number,
            Event = type,
            Status = status,
            Param = parameters,
            Ece = ece,
        }));
    }

    private static ConnectionProtocol.Answer Done => ConnectionProtocol.Answer.Done;

    private static ConnectionProtocol.Answer Error(int errno) => ConnectionProtocol.Answer.Error(errno);
}
