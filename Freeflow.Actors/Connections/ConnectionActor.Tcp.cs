using System.Runtime.InteropServices;
using Akka.Event;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Events;
using Freeflow.Actors.Listeners;
using Freeflow.Actors.Tcp;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Connections;

// A process in TCP mode: where it may connect to, and where it listens. What it does with that is between it and TCP mode's
// thread.
public sealed partial class ConnectionActor
{
    private HandoverProcess? _process;

    private void OpenTcp(ShimRequest request)
    {
        try
        {
            if (!_plane.AcceleratesPrivileged && !ProcessPrivileges.AreHarmless(_connection.PeerPid, request.Descriptors, _connection.Namespace, out var reason))
            {
                Context.Report(
                    EventKind.ContainerPrivileged, $"Container {_connection.Namespace.Id} gets no host sockets: {reason}", ("container", _connection.Namespace.Id));
                _plane.Handover.Distrust(_handoverContainer);
            }
        }
        catch (ObjectDisposedException)
        {
            // The process has given up waiting and is gone, and with it the hold on its namespace; the news of that follows.
            _log.Debug("Connection {0}: closed before its hello was served", _connection.Id);
            return;
        }
        finally
        {
            request.CloseDescriptors();
        }

        _process = new HandoverProcess(_handoverContainer);
        _plane.HandoverNews.Watch(_process, Self);
        _plane.Handover.Attach(_process);
        ShownState = Kind;
        Become(TcpIdle);
        _connection.Reply(new ShimReply(request.Type, request.Sequence, 0, Bytes(new ShimHelloReply
        {
            Version = ShimProtocol.Version,
            DoorbellBytes = HandoverProcess.MaximumRoutes * sizeof(uint),
        }))
        {
            Descriptors = [_process.RouteMemory, _process.NoteSocket, _handoverContainer.Handovers.Handle],
        });
        _process.NoteSocket.Dispose();
    }

    private void CloseTcp()
    {
        if (_process is null)
            return;
        _plane.HandoverNews.Forget(_process);
        _plane.Handover.Detach(_process);
    }

    private void TcpIdle()
    {
        Receive<ShimEvents.Received>(received =>
        {
            _current = received.Request;
            _span = SpanOf(received.Request);
            ServeTcp(received.Request);
        });
        TcpAlways();
    }

    private void TcpBusy()
    {
        Receive<ShimEvents.Received>(Hold);
        Receive<Resolved>(resolved =>
        {
            if (resolved.Route is { } route)
            {
                TellIfPlain(resolved.Destination, resolved.Port, route);
                Respond(Bytes(route));
            }
            else
                Fail(Errno.EINVAL);
            ResumeTcp();
        });
        Receive<ListenerProtocol.Made>(made =>
        {
            using var end = made.ApplicationEnd;
            Answer(new ConnectionProtocol.Answer(0, []) { Descriptors = [end] });
            ResumeTcp();
        });
        TcpAlways();
    }

    private void TcpAlways()
    {
        Receive<TcpEvents.ProcessEnded>(ended =>
        {
            _log.Debug("Connection {0}: {1}", _connection.Id, ended.Reason);
            _connection.Close(ended.Reason);
        });
        Receive<ListenerProtocol.Made>(late => late.ApplicationEnd.Dispose());
        Always();
    }

    private void ResumeTcp()
    {
        Become(TcpIdle);
        _waiting = 0;
        Stash.UnstashAll();
    }

    private void ServeTcp(ShimRequest request)
    {
        try
        {
            switch (request.Type)
            {
                case ShimMessageType.Resolve when MemoryMarshal.TryRead<ShimResolve>(request.Payload.Span, out var resolve):
                    var self = Self;
                    _plane.Handover.Resolve(_process!, resolve, route => self.Tell(new Resolved(route, resolve.Destination, resolve.Port), self));
                    Become(TcpBusy);
                    break;
                case ShimMessageType.Listen when MemoryMarshal.TryRead<ShimListen>(request.Payload.Span, out var listen):
                    Listen(listen, request);
                    break;
                default:
                    Fail(Errno.EINVAL);
                    break;
            }
        }
        finally
        {
            request.CloseDescriptors();
        }
    }

    private void Listen(ShimListen listen, ShimRequest request)
    {
        if (request.Descriptors.Count != 1)
        {
            Fail(Errno.EINVAL);
            return;
        }

        if (ListeningSocket.Inspect(request.Descriptors[0], _connection.Namespace.Id, out var reason) is not { } socket)
        {
            Context.Report(
                EventKind.ListenerRefused, $"Container {_connection.Namespace.Id}: a listener is not taken: {reason}", ("container", _connection.Namespace.Id));
            Fail(Errno.EOPNOTSUPP);
            return;
        }

        Context.Parent.Tell(new ListenerProtocol.Make(socket, HandoverLoop.BacklogOf(listen.Backlog)), Self);
        Become(TcpBusy);
    }

    private void TellIfPlain(uint destination, uint port, in ShimResolved route)
    {
        if (route.Reason == PlainReason.None)
            return;
        var to = $"{new Ipv4(destination)}:{port}";
        Context.Report(
            EventKind.DestinationPlain, $"Container {_connection.Namespace.Id}: {to} is plain: {route.Reason}",
            ("container", _connection.Namespace.Id), ("tenant", _device.Tenant.Name), ("destination", to), ("reason", route.Reason));
    }

    private sealed record Resolved(ShimResolved? Route, uint Destination, uint Port);
}
