using Akka.Actor;
using Freeflow.Actors.Events;
using Freeflow.Actors.Policy;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Handover.Pacing;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Flows;

// Connections that the policy allows no more: the kernel resets them, whoever has their sockets. And those whose container it limits.
public sealed partial class FlowsActor
{
    private readonly FlowQueue<AcceptedFlow> _accepted;
    private readonly PolicyInForce _policy;
    private readonly ConnectionPacer _pacer;

    /// <summary>Those that have come to containers of this host, by their sockets' cookies.</summary>
    private readonly Dictionary<ulong, AcceptedFlow> _here = [];
    private bool _lookAgain;

    /// <summary>What begins while the kernel lists its sockets is not looked at before the next time.</summary>
    private void LookAtOnce()
    {
        _lookAgain = _looking;
        Look();
    }

    private void EndForbidden(Dictionary<ulong, HostConnection> present)
    {
        foreach (var gone in _here.Keys.Where(cookie => !present.ContainsKey(cookie)).ToArray())
            _here.Remove(gone);
        var policy = _policy.Current;
        if (!policy.IsOpen)
        {
            var forbidden = new List<(HostConnection Socket, VirtualEnds Ends)>();
            foreach (var (cookie, entry) in _flows)
                Judge(entry.Flow.Container, entry.Flow.Ends, entry.Flow.Ends, cookie);
            foreach (var (cookie, flow) in _here)
                Judge(flow.Container, flow.Ends.Reversed, flow.Ends, cookie);
            if (forbidden.Count > 0)
                Task.Run(() => new EndedByPolicy([.. forbidden.Select(flow => (flow.Ends, SocketDiagnostics.Destroy(flow.Socket)))])).PipeTo(Self);

            void Judge(HandoverContainer container, in VirtualEnds client, in VirtualEnds shown, ulong cookie)
            {
                var tenant = container.Tenant.Key;
                if (!policy.Allows(tenant, client.Local, tenant, client.Peer, client.PeerPort) && present.TryGetValue(cookie, out var socket))
                    forbidden.Add((socket, shown));
            }
        }

        if (!_lookAgain)
            return;
        _lookAgain = false;
        Look();
    }

    /// <summary>Those that were there before their container was limited; the others the pacer has from TCP mode.</summary>
    private void PaceLimited(Dictionary<ulong, HostConnection> present)
    {
        foreach (var (cookie, entry) in _flows)
            Pace(entry.Flow.Container, cookie);
        foreach (var (cookie, flow) in _here)
            Pace(flow.Container, cookie);

        void Pace(HandoverContainer container, ulong cookie)
        {
            if (present.ContainsKey(cookie))
                _pacer.Add(container, cookie, 0);
        }
    }

    private void TellOfBandwidths()
    {
        if (_pacer.Refused is not 0 and var refused && _policy.Current.LimitsBandwidth)
        {
            Context.Report(
                EventKind.TcpBandwidthNotKept,
                $"The policy's bandwidths hold for each TCP connection by itself, as it begins: those that run keep theirs, and nobody adds them up (errno {refused}; the kernel is older than 5.16, or built without CONFIG_DEBUG_INFO_BTF?)",
                ("errno", refused));
        }
    }

    private void Tell(EndedByPolicy ended)
    {
        foreach (var (ends, error) in ended.Connections)
        {
            if (error is 0)
                _statistics.CountPolicyEnded();
            else if (error != -Errno.ENOENT)
            {
                Context.Report(
                    EventKind.FlowNotEnded, $"The policy allows {ends} no more, and the kernel does not end it (errno {-error}): it goes on until its programs do",
                    ("flow", ends), ("errno", -error));
            }
        }

        List<VirtualEnds> reset = [.. ended.Connections.Where(connection => connection.Error == 0).Select(connection => connection.Ends)];
        if (reset.Count > 0)
        {
            Context.Report(
                EventKind.FlowsForbidden, $"Policy: {reset.Count} connections were reset, which it allows no more: {reset[0]}{(reset.Count > 1 ? " and others" : "")}",
                ("flow", reset[0]), ("count", reset.Count));
        }
    }

    private sealed record EndedByPolicy(IReadOnlyList<(VirtualEnds Ends, int Error)> Connections);
}
