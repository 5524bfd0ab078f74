using System.Net;
using System.Net.NetworkInformation;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Akka.Actor;
using Akka.TestKit;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Policy;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.Tests.ConnectionManagement;

/// <summary>One id, its peer played, and time that passes when it is told to.</summary>
public sealed class CommunicationIdsConverse : ActorTest
{
    private const ulong Uid = 77;
    private static readonly TimeSpan s_silence = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_response = TimeSpan.FromSeconds(4.3);
    private static readonly TimeSpan s_pending = TimeSpan.FromSeconds(73.1);
    private static readonly IPAddress s_own = IPAddress.Parse("10.244.1.11");
    private static readonly IPAddress s_theirs = IPAddress.Parse("10.244.2.11");

    private readonly TestProbe _manager;
    private readonly TestProbe _exchange;
    private readonly TestProbe _peer;
    private readonly TestProbe _application;
    private readonly AddressBook _book = new();
    private readonly ContainerDevice _device = ContainerDevice.Of(Tenant.Default, [new InterfaceAddress(s_own, 24, "eth0", 2, true, 1500, PhysicalAddress.None)]);
    private readonly PolicyInForce _policy = new(AccessPolicy.Open);
    private readonly ControlPlane _plane;

    public CommunicationIdsConverse()
        : base("akka { loglevel = WARNING, scheduler.implementation = \"Akka.TestKit.TestScheduler, Akka.TestKit\" }")
    {
        (_manager, _exchange, _peer, _application) = (CreateTestProbe(), CreateTestProbe(), CreateTestProbe(), CreateTestProbe());
        _book.SetOwner(Key(s_theirs), "node");
        _book.SetOwner(Key(s_own), "node");
        _book.ReachOwn("node");
        _plane = new ControlPlane(
            null!, _book, ActorRefs.Nobody, new NumberAllocator(), null!, new ConnectionLimits(), null!, null!, false, _exchange, new ConnectionCounters(), null!,
            _policy);
    }

    private TestScheduler Scheduler => (TestScheduler)Sys.Scheduler;

    [Fact]
    public void ARequestIsSaidAgainAndThenItsDestinationIsUnreachable()
    {
        Ask();
        for (var retry = 0; retry < 15; retry++)
        {
            _exchange.ExpectNoMsg(s_silence);
            Scheduler.Advance(s_response);
            _exchange.ExpectMsg<CommunicationProtocol.Request>();
        }

        Scheduler.Advance(s_response);
        Assert.Equal(-Errno.ETIMEDOUT, Event(RdmaCmEventType.Unreachable).Status);
        _exchange.ExpectNoMsg(s_silence);
    }

    [Fact]
    public void ARequestThatThePolicyForbidsIsSaidToNobody()
    {
        _policy.Put(new AccessPolicy([PolicyTenant.Named(PolicyTenant.DefaultName) with { AllowsWithin = false }], [], [], PolicyLimits.None));
        Resolving();
        Assert.Equal(-Errno.EACCES, Event(RdmaCmEventType.AddressError).Status);
        _policy.Put(AccessPolicy.Open);
        var id = Resolved();
        _policy.Put(new AccessPolicy(
            [PolicyTenant.Named(PolicyTenant.DefaultName) with { AllowsWithin = false }],
            [new PolicyRule("1", [PolicySubject.Anybody], [PolicySubject.Anybody], [new PortSpan(1, 1)], PolicyMode.Rdma)],
            [],
            PolicyLimits.None));
        Assert.Equal(0, Connect(id).Errno);
        Assert.Equal(-Errno.EACCES, Event(RdmaCmEventType.Unreachable).Status);
        _exchange.ExpectNoMsg(s_silence);
    }

    [Fact]
    public void ARequestWhoseDestinationHasLeftTheDirectoryIsUnreachableWithTheNextTry()
    {
        Ask();
        _book.ForgetOwners();
        Scheduler.Advance(s_response);
        Assert.Equal(-Errno.ETIMEDOUT, Event(RdmaCmEventType.Unreachable).Status);
    }

    [Fact]
    public void AnApplicationThatThinksItOverIsWaitedFor()
    {
        var id = Ask();
        id.Tell(CommunicationProtocol.Pending.Instance, _peer);
        // It has heard that when it answers something else.
        Assert.Equal(Errno.EINVAL, Call(id, RdmaCmCommand.ResolveRoute, new ResolveRouteCommand { TimeoutMs = 1 }).Errno);
        Scheduler.Advance(s_pending - s_response);
        _exchange.ExpectNoMsg(s_silence);
        Scheduler.Advance(s_response);
        _exchange.ExpectMsg<CommunicationProtocol.Request>();
    }

    [Fact]
    public void AReplyLeadsToAConnectionThatEitherEnds()
    {
        var id = Ask();
        id.Tell(new CommunicationProtocol.Reply(End(qpn: 5, responder: 3, initiator: 4), [1, 2, 3]), _peer);
        var response = Event(RdmaCmEventType.ConnectResponse);
        var parameters = Parameters(response);
        Assert.Equal(5u, parameters.QpNum);
        Assert.Equal((4, 3, 196), (parameters.ResponderResources, parameters.InitiatorDepth, parameters.PrivateDataLen));
        Assert.Equal(0, Call(id, RdmaCmCommand.Accept, new AcceptCommand()).Errno);
        _peer.ExpectMsg<CommunicationProtocol.Ready>();
        id.Tell(CommunicationProtocol.Disconnect.Instance, _peer);
        Assert.Equal(0, Event(RdmaCmEventType.Disconnected).Status);
        Assert.Equal(0, Call(id, RdmaCmCommand.Disconnect, new DisconnectCommand()).Errno);
        _peer.ExpectMsg<CommunicationProtocol.Disconnected>();
        Scheduler.Advance(TimeSpan.FromSeconds(1));
        Event(RdmaCmEventType.TimewaitExit);
    }

    [Fact]
    public void ADisconnectThatNobodyAnswersEndsAllTheSame()
    {
        var id = Established();
        Assert.Equal(0, Call(id, RdmaCmCommand.Disconnect, new DisconnectCommand()).Errno);
        for (var said = 0; said < 16; said++)
        {
            _peer.ExpectMsg<CommunicationProtocol.Disconnect>();
            Scheduler.Advance(s_response);
        }

        Assert.Equal(-Errno.ETIMEDOUT, Event(RdmaCmEventType.Disconnected).Status);
    }

    [Fact]
    public void APeerThatIsGoneEndsTheConnection()
    {
        Established();
        Sys.Stop(_peer);

        // It learns of it when it learns of it, and waits for last words from then on.
        AwaitAssert(
            () =>
            {
                Scheduler.Advance(TimeSpan.FromSeconds(1));
                Assert.True(_manager.HasMessages);
            },
            TimeSpan.FromSeconds(30),
            s_silence);
        Assert.Equal(-Errno.ETIMEDOUT, Event(RdmaCmEventType.Disconnected).Status);
    }

    [Fact]
    public void AStrangerEndsNothing()
    {
        var id = Established();
        var stranger = CreateTestProbe();
        foreach (var word in new object[] { CommunicationProtocol.Disconnect.Instance, new CommunicationProtocol.Reject(28, []), CommunicationProtocol.Disconnected.Instance })
            id.Tell(word, stranger);
        _manager.ExpectNoMsg(s_silence);
    }

    [Fact]
    public void ARejectionTellsItsReasonAndData()
    {
        var id = Ask();
        id.Tell(new CommunicationProtocol.Reject(28, [9, 8]), _peer);
        var rejected = Event(RdmaCmEventType.Rejected);
        Assert.Equal(28, rejected.Status);
        Assert.Equal((148, 9, 8), (Parameters(rejected).PrivateDataLen, Parameters(rejected).PrivateData[0], Parameters(rejected).PrivateData[1]));
    }

    [Fact]
    public void ARequestIsAcceptedOrRefusedByItsEnd()
    {
        var route = new CommunicationProtocol.Route(Tenant.Default.Key, 2, Bytes(s_theirs), 0x0106ffff, Bytes(s_own), 0x01061234, 0);
        var request = new CommunicationProtocol.Request(route, false, End(qpn: 9, responder: 1, initiator: 1), []);
        var accepted = Passive(request);
        _peer.ExpectMsg<CommunicationProtocol.Pending>();
        var accept = new AcceptCommand { Uid = Uid, ConnParam = new ConnectionParameters { Valid = 1, QpNum = 6, ResponderResources = 1, InitiatorDepth = 1 } };
        Assert.Equal(0, Call(accepted, RdmaCmCommand.Accept, accept).Errno);
        Assert.Equal(6u, _peer.ExpectMsg<CommunicationProtocol.Reply>().End.Qpn);
        // Said again where the answer was lost, and when the request comes again.
        Scheduler.Advance(s_response);
        _peer.ExpectMsg<CommunicationProtocol.Reply>();
        accepted.Tell(request, _peer);
        _peer.ExpectMsg<CommunicationProtocol.Reply>();
        accepted.Tell(CommunicationProtocol.Ready.Instance, _peer);
        Event(RdmaCmEventType.Established);

        var ended = Passive(request);
        _peer.ExpectMsg<CommunicationProtocol.Pending>();
        Sys.Stop(ended);
        Assert.Equal(RejectReason.ConsumerDefined, _peer.ExpectMsg<CommunicationProtocol.Reject>().Reason);
    }

    private static TenantAddress Key(IPAddress address) => TenantAddress.Of(Tenant.Default, Gid.FromAddress(address));

    private static byte[] Bytes(IPAddress address) => address.MapToIPv6().GetAddressBytes();

    private static CommunicationProtocol.Endpoint End(uint qpn, byte responder, byte initiator) =>
        new(qpn, 100, responder, initiator, 7, 7, true, false, 3, 0, 0);

    private CommunicationIdSpec Spec(ulong uid) => new(_plane, new PortTable(), _device, 1, uid, PortSpace.Tcp, QueuePairType.ReliableConnection);

    private IActorRef Passive(CommunicationProtocol.Request request) => _manager.ChildActorOf(CommunicationIdActor.Props(Spec(0), request, _peer));

    /// <summary>An id that has sent its request.</summary>
    private IActorRef Ask()
    {
        var id = Resolved();
        Assert.Equal(0, Connect(id).Errno);
        var request = _exchange.ExpectMsg<CommunicationProtocol.Request>();
        Assert.Equal((8u, 0x01061234ul), (request.End.Qpn, request.Route.Service));
        return id;
    }

    /// <summary>An id that knows its destination.</summary>
    private IActorRef Resolved()
    {
        var id = Resolving();
        Event(RdmaCmEventType.AddressResolved);
        Assert.Equal(0, Call(id, RdmaCmCommand.ResolveRoute, new ResolveRouteCommand { TimeoutMs = 1 }).Errno);
        Event(RdmaCmEventType.RouteResolved);
        return id;
    }

    private IActorRef Resolving()
    {
        var id = _manager.ChildActorOf(CommunicationIdActor.Props(Spec(Uid)));
        var resolve = new ResolveAddrCommand { TimeoutMs = 1000, DstSize = 16 };
        new RdmaAddress(RdmaAddressFamily.Inet, Gid.FromAddress(s_theirs), 0x1234, 0, 0).CopyTo(SocketAddressStorage.Bytes(ref resolve.DstAddr));
        Assert.Equal(0, Call(id, RdmaCmCommand.ResolveAddr, resolve).Errno);
        return id;
    }

    private ConnectionProtocol.Answer Connect(IActorRef id) =>
        Call(id, RdmaCmCommand.Connect, new ConnectCommand { ConnParam = new ConnectionParameters { Valid = 1, QpNum = 8 } });

    private IActorRef Established()
    {
        var id = Ask();
        id.Tell(new CommunicationProtocol.Reply(End(qpn: 5, responder: 1, initiator: 1), []), _peer);
        Event(RdmaCmEventType.ConnectResponse);
        Assert.Equal(0, Call(id, RdmaCmCommand.Accept, new AcceptCommand()).Errno);
        _peer.ExpectMsg<CommunicationProtocol.Ready>();
        return id;
    }

    private ConnectionProtocol.Answer Call<T>(IActorRef id, RdmaCmCommand number, T body)
        where T : struct
    {
        var bytes = new byte[Unsafe.SizeOf<RdmaCmHeader>() + Unsafe.SizeOf<T>()];
        MemoryMarshal.Write(bytes, new RdmaCmHeader { Cmd = number, In = (ushort)Unsafe.SizeOf<T>(), Out = 512 });
        MemoryMarshal.Write(bytes.AsSpan(Unsafe.SizeOf<RdmaCmHeader>()), body);
        id.Tell(new ConnectionManagerProtocol.Call(RdmaCmCall.TryParse(bytes)!, null), _application);
        return _application.ExpectMsg<ConnectionProtocol.Answer>();
    }

    private RdmaCmEventResponse Event(RdmaCmEventType expected)
    {
        var raised = _manager.ExpectMsg<ConnectionManagerProtocol.Raise>().Event;
        Assert.Equal((expected, Uid), (raised.Event, raised.Uid));
        return raised;
    }

    private static ConnectionParameters Parameters(RdmaCmEventResponse raised) =>
        MemoryMarshal.Read<ConnectionParameters>(MemoryMarshal.AsBytes(new ReadOnlySpan<RdmaCmEventParameters>(in raised.Param)));
}
