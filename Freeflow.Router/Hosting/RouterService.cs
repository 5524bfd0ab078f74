using System.Collections.Concurrent;
using System.Net;
using Akka.Actor;
using Freeflow.Actors;
using Freeflow.Actors.ClusterTransport;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Events;
using Freeflow.Actors.Peers;
using Freeflow.Actors.Policy;
using Freeflow.Actors.Roll;
using Freeflow.Actors.Seeds;
using Freeflow.Router.Admin;
using Freeflow.Router.Configuration;
using Freeflow.Router.Control;
using Freeflow.Router.Dashboard.Live;
using Freeflow.Router.Draining;
using Freeflow.Router.Events;
using Freeflow.Router.Installation;
using Freeflow.Router.Logging;
using Freeflow.Router.Tracing;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Links;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Freeflow.Router.Hosting;

/// <summary>
/// Wires the router: engine, links, control plane and the containers' socket, in this order, and takes them down in the
/// other.
/// </summary>
internal sealed partial class RouterService(
    RouterOptions options,
    PolicySetting policy,
    TransportSetup security,
    PrivilegesKept privileges,
    ShimAtStart shim,
    TraceExport traces,
    RouterLog log,
    ActorSystem system,
    IHostApplicationLifetime lifetime,
    ILogger<RouterService> logger) : IHostedService
{
    private static readonly TimeSpan s_startWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_leaveWithin = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan s_threadsEndWithin = TimeSpan.FromSeconds(3);

    private readonly EventFeed _events = new();
    private VerbsEngine? _engine;
    private HandoverLoop? _handover;
    private LinkListener? _links;
    private ShimListener? _shims;
    private ControlSocket? _control;
    private AdminEndpoint? _admin;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        EventRecording.Start(system, _events, logger);
        log.RoomAgain += LogLinesLost;
        TellOfTheLibrary();
        TellOfTheCluster();
        var news = new EngineNews();
        var book = new AddressBook();
        _engine = new VerbsEngine(options.Engine, news, book);
        _engine.Start();
        var handoverNews = new HandoverNews();
        _handover = new HandoverLoop(options.Tcp, book, policy.InForce.Current, handoverNews);
        _handover.Start();
        _engine.SetPolicy(policy.InForce.Current);
        policy.InForce.Changed += _engine.SetPolicy;
        policy.InForce.Changed += _handover.SetPolicy;

        var credentials = new ConcurrentDictionary<string, LinkCredential>();
        var peers = new TaskCompletionSource<IActorRef>();
        var node = NodeName.Of(Akka.Cluster.Cluster.Get(system).SelfUniqueAddress);
        _links = new LinkListener(
            new IPEndPoint(options.HostAddress, options.LinkPort),
            node,
            credentials.GetValueOrDefault,
            options.EncryptLinks,
            (from, link) => peers.Task.Result.Tell(new PeerEvents.LinkAccepted(from, link)),
            reason => peers.Task.Result.Tell(new PeerEvents.LinkRefused(reason)),
            security.Certificates is null ? security.Allowed : null);

        var started = new TaskCompletionSource<RouterActor.Started>();
        var endpoint = new LinkEndpoint(node, options.HostAddress, options.LinkPort, options.EncryptLinks, credentials);
        var parts = new RouterParts(
            book, _engine, news, _handover, handoverNews, options.Limits, options.ContainerLinger, options.AcceleratesPrivileged,
            options.Tenants, options.Seeds.Settings, new LastMembers(Path.Combine(options.RuntimeDirectory, options.Name + ".members")), policy);
        system.ActorOf(RouterActor.Props(parts, endpoint, started.SetResult), "router");
        var isInTime = await Task.WhenAny(started.Task, Task.Delay(s_startWithin, cancellationToken)) == started.Task;
        cancellationToken.ThrowIfCancellationRequested();
        if (!isInTime)
            throw new TimeoutException($"its control plane has not started within {s_startWithin.TotalSeconds} s");
        var router = await started.Task;
        peers.SetResult(router.Peers);

        _shims = new ShimListener(Path.Combine(options.Directory, "run"), options.Name, new ShimNews(router.Containers), options.Shim);
        _shims.Start();
        var drainer = new Drainer(
            system, _engine, _handover, router.Drain, () => ActorCensus.Of(router.Containers, router.Flows).Flows, lifetime.StopApplication);
        var health = new RouterHealth(system, _engine, _handover, router.Drain);
        var answers = new RouterAnswers(options, system, _engine, _handover, router, policy.InForce, _events, drainer, health);
        _control = new ControlSocket(ControlSocket.PathOf(options.RuntimeDirectory, options.Name), answers, new ControlBounds());
        if (options.Admin is { } admin)
        {
            var meter = new RouterMeter(system, _engine, _handover, router, policy.InForce, log);
            var source = new RouterLiveSource(
                options.Name, options.HostAddress.ToString(), ClusterTrust.Of(options.Tls is not null, options.HostNetwork), answers, ActorRoll.Of(system), _engine.Statistics, _handover.Statistics);
            _admin = await AdminEndpoint.StartAsync(admin, options.Name, meter, health, answers, source, cancellationToken);
        }

        TellOfTheHost(_engine, _handover);
        // Last, since some of what it takes is needed to start.
        if (SystemCallFilter.Install() is var refused and not 0)
        {
            system.Report(
                EventKind.NoSystemCallFilter, $"Privileges: no filter of system calls (errno {refused}); the kernel has no seccomp, or not for this machine?", ("errno", refused));
        }

        system.Report(
            EventKind.RouterReady,
            $"Router {options.Name} is ready at {options.HostAddress}, cluster port {options.ClusterPort}, link port {options.LinkPort}, TCP-mode port {options.Tcp.Port}",
            ("router", node));
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        system.Report(EventKind.RouterLeaving, "Leaving the cluster");
        if (_admin is not null)
            await _admin.DisposeAsync();
        _control?.Dispose();
        _shims?.Dispose();
        _links?.Dispose();
        var left = CoordinatedShutdown.Get(system).Run(CoordinatedShutdown.ClrExitReason.Instance);
        if (await Task.WhenAny(left, Task.Delay(s_leaveWithin, CancellationToken.None)) != left)
            LeftWithoutGoodbye(s_leaveWithin);
        // One that hangs ends with the process.
        var ended = Task.Run(
            () =>
            {
                _handover?.Dispose();
                _engine?.Dispose();
            },
            CancellationToken.None);
        if (await Task.WhenAny(ended, Task.Delay(s_threadsEndWithin, CancellationToken.None)) == ended)
            await ended;
        else
            ThreadsGoOn(s_threadsEndWithin);
    }

    private void TellOfTheLibrary()
    {
        if (shim.Done is not { } installed)
            return;
        var (kind, text) = installed.IsNew ? (EventKind.LibraryInstalled, "is in place; programs that run keep the one they have") : (EventKind.LibraryInPlace, "was in place already");
        system.Report(kind, $"Library: {installed.Path}, the one that belongs to this router, {text} (sha256 {installed.Digest})", ("path", installed.Path), ("digest", installed.Digest));
    }

    /// <summary>Who may join it.</summary>
    private void TellOfTheCluster()
    {
        if (security.Certificates is { } certificates)
        {
            certificates.Replaced += own => system.Report(EventKind.CertificatesReplaced, $"Cluster: the certificates were replaced; the own one is now {own}", ("certificate", own));
            certificates.Wrong += problem => system.Report(EventKind.CertificatesWrong, $"Cluster: {problem}");
            system.Report(
                EventKind.CertificatesRead, $"Cluster: members show certificates; the own one: {certificates.Description}", ("certificate", certificates.Description));
            certificates.Watch();
        }
        else if (security.Allowed is { } network)
        {
            system.Report(
                EventKind.ClusterOpenWithin, $"Cluster: it is open to everybody in {network}, and nothing is encrypted, since freeflow.tls is not set", ("network", network));
        }
        else
        {
            system.Report(
                EventKind.ClusterOpen,
                "Cluster: it is open to everybody who reaches its port, and nothing is encrypted, since neither freeflow.tls nor freeflow.host.prefix is set");
        }
    }

    /// <summary>What this host does not let the router do, and where it sends what it sees.</summary>
    private void TellOfTheHost(VerbsEngine engine, HandoverLoop handover)
    {
        if (options.Tcp.HostAddress is null)
            system.Report(EventKind.NoTcpMode, $"TCP mode is off: it goes over IPv4, and this host's address is {options.HostAddress}; RDMA is not affected");
        NotRealTime("engine", engine.RealTimeRefused);
        NotRealTime("TCP mode", handover.RealTimeRefused);
        if (handover.SharedFiltersRefused is var errno and not 0)
        {
            system.Report(
                EventKind.NoSharedFilters,
                $"TCP mode locks each socket by a filter of its own (errno {errno}; CAP_BPF is missing, or the kernel older than 5.5?): connections take longer to set up", ("errno", errno));
        }

        foreach (var (wanted, port) in handover.OtherPorts)
        {
            system.Report(
                EventKind.OtherTcpPort,
                $"Connections that an earlier router handed over hold TCP mode's port {wanted}: it listens at {port} until its next start, and has told the other routers",
                ("wanted", wanted), ("port", port));
        }

        if (privileges.Problem is { } problem)
            system.Report(EventKind.PrivilegesKept, $"Privileges: {problem}");
        if (traces.Endpoint is { } collector)
            system.Report(EventKind.TracesSent, $"Traces of control operations go to {collector}", ("collector", collector));
    }

    private void NotRealTime(string part, int errno)
    {
        if (errno != 0)
        {
            system.Report(
                EventKind.NotRealTime, $"The thread of the {part} is not real-time (errno {errno}; CAP_SYS_NICE is missing?): latencies suffer where programs spin",
                ("part", part), ("errno", errno));
        }
    }

    // Ids that EventKind has not: an id in the log means one thing.
    [LoggerMessage(28, LogLevel.Error, "The threads of the engine and of TCP mode have not ended within {Bound}; the process ends without them")]
    private partial void ThreadsGoOn(TimeSpan bound);

    [LoggerMessage(29, LogLevel.Warning, "Log: {Lines} lines before this one could not be written, for want of room, say; they are lost")]
    private partial void LogLinesLost(long lines);


    /// <summary>There is nobody left to report it to.</summary>
    [LoggerMessage(4, LogLevel.Warning, "The cluster did not confirm within {Bound} that this router has left")]
    private partial void LeftWithoutGoodbye(TimeSpan bound);
}
