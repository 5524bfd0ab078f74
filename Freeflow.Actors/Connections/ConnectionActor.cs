using System.ComponentModel;
using Akka.Actor;
using Akka.Event;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Events;
using Freeflow.Actors.Inspection;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;
using System.Runtime.InteropServices;
using EventStream = Freeflow.Verbs.Channel.EventStream;

namespace Freeflow.Actors.Connections;

/// <summary>
/// One shim connection: a look at sysfs, a process's open device, its open rdma_cm, or a process in TCP mode. Its calls are served one after the other; its end,
/// for whatever reason, frees everything below it.
/// </summary>
public sealed partial class ConnectionActor : ListedActor, IWithUnboundedStash
{
    // A shim has one call under way in each process that holds the descriptor; who sends more at once is no shim.
    private const int MaximumWaitingCalls = 256;

    private readonly ControlPlane _plane;
    private readonly ShimConnection _connection;
    private readonly SysfsTree _tree;
    private readonly HandoverContainer _handoverContainer;
    private readonly ContainerQuota _quota;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private ContainerDevice _device;
    private EngineConnection? _engineConnection;
    private ProcessMemory? _memory;
    private ShimRequest? _current;
    private int _waiting;
    private bool _hasWarned;

    public ConnectionActor(
        ControlPlane plane, ShimConnection connection, SysfsTree tree, HandoverContainer handoverContainer, IActorRef connectionManager, ContainerQuota quota,
        ContainerDevice device)
    {
        _connectionManager = connectionManager;
        _handoverContainer = handoverContainer;
        _quota = quota;
        _plane = plane;
        _connection = connection;
        _tree = tree;
        _device = device;
        _domains = new(plane.Limits.ProtectionDomains, quota.ProtectionDomains);
        _completionQueues = new(Math.Min(plane.Limits.CompletionQueues, EngineConnection.MaximumCompletionQueues), quota.CompletionQueues);
        _queuePairs = new(Math.Min(plane.Limits.QueuePairs, EngineConnection.MaximumQueuePairs), quota.QueuePairs);
        _regions = new(plane.Limits.MemoryRegions, quota.MemoryRegions);
        _addressHandles = new(plane.Limits.AddressHandles, quota.AddressHandles);
        _windows = new(plane.Limits.MemoryWindows, quota.MemoryWindows);
        _sharedQueues = new(plane.Limits.SharedReceiveQueues, quota.SharedReceiveQueues);
        AwaitingHello();
    }

    public IStash Stash { get; set; } = null!;

    public static Props Props(
        ControlPlane plane, ShimConnection connection, SysfsTree tree, HandoverContainer handoverContainer, IActorRef connectionManager, ContainerQuota quota,
        ContainerDevice device) =>
        Akka.Actor.Props.Create(() => new ConnectionActor(plane, connection, tree, handoverContainer, connectionManager, quota, device));

    // A defect in one object ends this connection, and with it everything of its process, but nothing else.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(error =>
    {
        _log.Error(error, "Connection {0}: a defect below it", _connection.Id);
        Context.Report(
            EventKind.ConnectionDefect, $"Connection {_connection.Id} of container {_connection.Namespace.Id} is ended by a defect: {error.GetType().Name}",
            ("container", _connection.Namespace.Id), ("pid", _connection.PeerPid));
        Self.Tell(Defect.Instance);
        return Directive.Stop;
    });

    protected override void PostStop()
    {
        _connection.Close("its actor has ended");
        _span.End(Errno.EIO);
        CloseTcp();
        _readiness?.Dispose();
        var owned = Owned();
        if (_engineConnection is { } engineConnection)
        {
            TellOfDevice(EventKind.DeviceClosed, "closed");
            _plane.Engine.Detach(engineConnection, () => Task.Run(() => Free(owned)));
        }
        else
        {
            Free(owned);
        }

        foreach (var number in _queuePairs.Items.Select(pair => pair.Number))
            _plane.Numbers.ReturnQpn(number);
        foreach (var key in _regions.Items.Select(region => region.Key).Concat(_windows.Items.Select(window => window.Key)))
            _plane.Numbers.ReturnKey(key);
        _domains.Abandon();
        _completionQueues.Abandon();
        _queuePairs.Abandon();
        _regions.Abandon();
        _addressHandles.Abandon();
        _windows.Abandon();
        _sharedQueues.Abandon();
        _quota.MulticastAttachments.Change(-_queuePairs.Items.Sum(pair => pair.Groups.Count));
        _quota.RegisteredBytes.Return(_registeredBytes);
    }

    private static void Free(List<IDisposable> owned)
    {
        foreach (var item in owned)
            item.Dispose();
    }

    /// <summary>Rings are the engine connection's, which also knows those of objects that were being made.</summary>
    private List<IDisposable> Owned()
    {
        var owned = new List<IDisposable>();
        owned.Add(new Channels(_quota.CompletionChannels, _channels));
        if (_asyncEvents is not null)
            owned.Add(_asyncEvents);
        if (_memory is not null)
            owned.Add(_memory);
        if (_engineConnection is not null)
            owned.Add(_engineConnection);
        return owned;
    }

    private void AwaitingHello()
    {
        Receive<ShimEvents.Received>(received =>
        {
            var request = received.Request;
            if (request.Type != ShimMessageType.Hello || !MemoryMarshal.TryRead<ShimHello>(request.Payload.Span, out var hello))
            {
                request.CloseDescriptors();
                End("its first message is no hello");
                return;
            }

            try
            {
                Greet(request, hello);
            }
            catch (Exception problem) when (problem is Win32Exception or IOException)
            {
                request.CloseDescriptors();
                _log.Warning("Connection {0} can't be served: {1}", _connection.Id, problem.Message);
                Reply(request, Errno.ENOMEM, new ShimHelloReply { Version = ShimProtocol.Version });
            }
        });
        Always();
    }

    private void Greet(ShimRequest request, ShimHello hello)
    {
        if (hello.Version != ShimProtocol.Version)
        {
            request.CloseDescriptors();
            Warn("the shim speaks version {1}, this router {2}", hello.Version, ShimProtocol.Version);
            Reply(request, Errno.EPROTONOSUPPORT, new ShimHelloReply { Version = ShimProtocol.Version });
            return;
        }

        if (hello.Kind == ShimConnectionKind.Sysfs)
        {
            request.CloseDescriptors();
            using var directory = _tree.OpenDirectory();
            _connection.Reply(new ShimReply(request.Type, request.Sequence, 0, Bytes(new ShimHelloReply { Version = ShimProtocol.Version }))
            {
                Descriptors = [directory],
            });
            return;
        }

        if (hello.Kind == ShimConnectionKind.Tcp)
        {
            OpenTcp(request);
            return;
        }

        if (hello.Kind == ShimConnectionKind.RdmaCm)
        {
            OpenConnectionManager(request);
            return;
        }

        if (hello.Kind != ShimConnectionKind.Uverbs || request.Descriptors.Count != 2)
        {
            request.CloseDescriptors();
            Reply(request, Errno.EINVAL, new ShimHelloReply { Version = ShimProtocol.Version });
            return;
        }

        Open(request);
    }

    private void Open(ShimRequest request)
    {
        try
        {
            _memory = new ProcessMemory(
                request.Descriptors[0], request.Descriptors[1], _connection.PeerPid, _plane.Limits.SharePages ? _plane.Limits.SharedBytes : 0,
                _quota.SharedBytes);
        }
        catch (ArgumentException problem)
        {
            request.CloseDescriptors();
            Warn("{1}", problem.Message);
            Reply(request, Errno.EINVAL, new ShimHelloReply { Version = ShimProtocol.Version });
            return;
        }

        _engineConnection = EngineConnection.Create(_quota.QueueBytes, _quota.Tally, _quota.Rates);
        _engineConnection.Port = _device.EnginePort;
        _plane.Engine.Attach(_engineConnection);
        TellOfDevice(EventKind.DeviceOpened, "opened");
        ShownState = Kind;
        Become(Idle);
        _connection.Reply(new ShimReply(request.Type, request.Sequence, 0, Bytes(new ShimHelloReply
        {
            Version = ShimProtocol.Version,
            DoorbellBytes = (uint)_engineConnection.DoorbellBytes,
            Token = _engineConnection.Token,
        }))
        {
            Descriptors = [_engineConnection.DoorbellHandle, _engineConnection.WakeHandle, _engineConnection.LifelineHandle],
        });
    }

    private void TellOfDevice(EventKind kind, string what) => Context.Report(
        kind, $"Container {_connection.Namespace.Id}: process {_connection.PeerPid} has {what} the device",
        ("container", _connection.Namespace.Id), ("tenant", _device.Tenant.Name), ("pid", _connection.PeerPid));

    /// <summary>No call is under way.</summary>
    private void Idle()
    {
        Receive<ShimEvents.Received>(received =>
        {
            _current = received.Request;
            _span = SpanOf(received.Request);
            Serve(received.Request);
        });
        Always();
    }

    /// <summary>An object has the call; others wait their turn.</summary>
    private void Busy()
    {
        Receive<ShimEvents.Received>(Hold);
        Receive<ConnectionProtocol.Answer>(answer =>
        {
            Answer(answer);
            Resume();
        });
        Receive<ConnectionProtocol.Created>(created =>
        {
            Adopt(created);
            Resume();
        });
        Receive<ConnectionProtocol.Moved>(moved =>
        {
            Adopt(moved);
            Resume();
        });
        Receive<ConnectionProtocol.NotCreated>(failed =>
        {
            Forget(failed.Object);
            Fail(failed.Errno);
            Resume();
        });
        Receive<ConnectionProtocol.Removed>(removed =>
        {
            Finish(removed);
            Resume();
        });
        Receive<MulticastDone>(AnswerMulticast);
        Receive<DirectoryProtocol.Found>(_ => AnswerAddress(found: true));
        Receive<DirectoryProtocol.NotFound>(_ => AnswerAddress(found: false));
        Receive<SharePlan>(plan =>
        {
            AnswerShare(plan);
            Resume();
        });
        Always();
    }

    /// <summary>A call that comes while another is under way.</summary>
    private void Hold(ShimEvents.Received received)
    {
        if (_waiting++ < MaximumWaitingCalls)
        {
            Stash.Stash();
            return;
        }

        received.Request.CloseDescriptors();
        End($"it has more than {MaximumWaitingCalls} calls under way");
    }

    private void Always()
    {
        Receive<ShimEvents.Closed>(closed =>
        {
            _log.Debug("Connection {0}: {1}", _connection.Id, closed.Reason);
            Context.Stop(Self);
        });
        Receive<ConnectionProtocol.DeviceChanged>(changed => ChangeDevice(changed.Device));
        Receive<ConnectionProtocol.AsyncEvent>(RaiseFor);
        Receive<InspectionProtocol.Look>(Show);
        // The shim says that the device is gone (Freeflow.Shim/orphans.c).
        Receive<Defect>(_ => End("a defect in the router"));
    }

    private void Serve(ShimRequest request)
    {
        try
        {
            switch (request.Type)
            {
                case ShimMessageType.Command when UverbsMethods.Refuse(request.Payload.Span) is var errno and not 0:
                    Fail(errno);
                    break;
                case ShimMessageType.Command when UverbsMethods.Creates(request.Payload.Span) && !MemoryHeadroom.Own.TryTake(MemoryHeadroom.ForAnObject):
                    Warn("the router has no memory left for its objects");
                    Fail(Errno.ENOMEM);
                    break;
                case ShimMessageType.Command when UverbsCall.TryParse(request.Payload) is { } call:
                    Serve(call);
                    break;
                case ShimMessageType.Mmap when MemoryMarshal.TryRead<ShimMmap>(request.Payload.Span, out var mmap):
                    Map(mmap);
                    break;
                case ShimMessageType.Share when MemoryMarshal.TryRead<ShimShareRequest>(request.Payload.Span, out var share):
                    Share(share);
                    break;
                default:
                    Answer(ConnectionProtocol.Answer.Error(Errno.EINVAL));
                    break;
            }
        }
        catch (Win32Exception problem) when (_current is not null)
        {
            // It has run out of descriptors or memory itself; no call is begun before it has what it needs.
            _log.Warning("Connection {0}: {1}", _connection.Id, problem.Message);
            Fail(Errno.ENOMEM);
        }
        finally
        {
            request.CloseDescriptors();
        }
    }

    private void Resume()
    {
        Become(Idle);
        _waiting = 0;
        Stash.UnstashAll();
    }

    /// <summary>Passes the call under way to an object below, which will answer.</summary>
    private void Await() => Become(Busy);

    private void Answer(ConnectionProtocol.Answer answer)
    {
        if (_current is not { } request)
            return;
        _current = null;
        _span.End(answer.Errno);
        _span = default;
        _connection.Reply(new ShimReply(request.Type, request.Sequence, answer.Errno, answer.Response)
        {
            Descriptors = answer.Descriptors,
            DescriptorPatch = answer.DescriptorPatch,
        });
    }

    private void Fail(int errno) => Answer(ConnectionProtocol.Answer.Error(errno));

    private void Done() => Answer(ConnectionProtocol.Answer.Done);

    private void Respond(byte[] response) => Answer(new ConnectionProtocol.Answer(0, response));

    private void End(string reason)
    {
        Warn("it is closed: {1}", reason);
        _connection.Close(reason);
    }

    /// <summary>Once for a connection, whatever it goes on saying: nobody fills the log by one.</summary>
    private void Warn(string format, params ReadOnlySpan<object> values)
    {
        if (_hasWarned)
            return;
        _hasWarned = true;
        _log.Warning($"Connection {{0}} of container {_connection.Namespace.Id}: {format}", [_connection.Id, .. values]);
    }

    private void Reply<T>(ShimRequest request, int errno, T payload)
        where T : struct => _connection.Reply(new ShimReply(request.Type, request.Sequence, errno, Bytes(payload)));

    private static byte[] Bytes<T>(T value)
        where T : struct => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();

    private sealed class Channels(ContainerChannels all, List<EventStream> ours) : IDisposable
    {
        public void Dispose() => all.End(ours);
    }

    private sealed class Defect
    {
        public static Defect Instance { get; } = new();
    }
}
