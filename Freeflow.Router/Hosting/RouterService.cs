using System.Collections.Concurrent;
using System.Net;
using Akka.Actor;
using Freeflow.Actors;
using Freeflow.Actors.Containers;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Peers;
using Freeflow.Router.Configuration;
using Freeflow.Verbs.Channel;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Links;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Freeflow.Router.Hosting;

/// <summary>
/// Wires the router: engine, links, control plane and the containers' socket, in this order, and takes them down in the
/// other.
/// </summary>
internal sealed partial class RouterService(RouterOptions options, ActorSystem system, ILogger<RouterService> logger) : IHostedService
{
    private static readonly TimeSpan s_leaveWithin = TimeSpan.FromSeconds(6);

    private VerbsEngine? _engine;
    private HandoverLoop? _handover;
    private LinkListener? _links;
    private ShimListener? _shims;
    private ControlSocket? _control;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var news = new EngineNews();
        var book = new AddressBook();
        _engine = new VerbsEngine(options.Engine, news, book);
        _engine.Start();
        var handoverNews = new HandoverNews();
        _handover = new HandoverLoop(options.Tcp, book, new SameTenantPolicy(), handoverNews);
        _handover.Start();

        var credentials = new ConcurrentDictionary<string, LinkCredential>();
        var peers = new TaskCompletionSource<IActorRef>();
        var node = NodeName.Of(Akka.Cluster.Cluster.Get(system).SelfUniqueAddress);
        _links = new LinkListener(
            new IPEndPoint(options.HostAddress, options.LinkPort),
            node,
            credentials.GetValueOrDefault,
            (from, link) => peers.Task.Result.Tell(new PeerEvents.LinkAccepted(from, link)),
            reason => peers.Task.Result.Tell(new PeerEvents.LinkRefused(reason)));

        var started = new TaskCompletionSource<RouterActor.Started>();
        var endpoint = new LinkEndpoint(node, options.HostAddress, options.LinkPort, credentials);
        var parts = new RouterParts(
            book, _engine, news, _handover, handoverNews, options.Limits, options.ContainerLinger, options.AcceleratesPrivileged, options.Tenants);
        system.ActorOf(RouterActor.Props(parts, endpoint, started.SetResult), "router");
        var router = await started.Task.WaitAsync(TimeSpan.FromSeconds(10), cancellationToken);
        peers.SetResult(router.Peers);

        _shims = new ShimListener(Path.Combine(options.Directory, "run"), options.Name, new ShimNews(router.Containers), options.Shim);
        _shims.Start();
        _control = new ControlSocket(options, system, _engine, _handover, router);
        if (options.Tcp.HostAddress is null)
            NoTcpMode(options.HostAddress);
        if (_engine.RealTimeRefused != 0)
            NotRealTime("engine", _engine.RealTimeRefused);
        if (_handover.RealTimeRefused != 0)
            NotRealTime("TCP mode", _handover.RealTimeRefused);
        if (_handover.SharedFiltersRefused != 0)
            NoSharedFilters(_handover.SharedFiltersRefused);
        foreach (var (wanted, port) in _handover.OtherPorts)
            OtherTcpPort(wanted, port);
        Ready(options.Name, options.HostAddress, options.ClusterPort, options.LinkPort, options.Tcp.Port);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Stopping();
        _control?.Dispose();
        _shims?.Dispose();
        _links?.Dispose();
        var left = CoordinatedShutdown.Get(system).Run(CoordinatedShutdown.ClrExitReason.Instance);
        if (await Task.WhenAny(left, Task.Delay(s_leaveWithin, CancellationToken.None)) != left)
            LeftWithoutGoodbye(s_leaveWithin);
        _handover?.Dispose();
        _engine?.Dispose();
    }

    [LoggerMessage(1, LogLevel.Information, "Router {Name} is ready at {Address}, cluster port {ClusterPort}, link port {LinkPort}, TCP-mode port {TcpPort}")]
    private partial void Ready(string name, IPAddress address, int clusterPort, int linkPort, int tcpPort);

    [LoggerMessage(6, LogLevel.Warning, "TCP mode is off: it goes over IPv4, and this host's address is {Address}; RDMA is not affected")]
    private partial void NoTcpMode(IPAddress address);

    [LoggerMessage(5, LogLevel.Warning, "TCP mode locks each socket by a filter of its own (errno {Errno}; CAP_BPF is missing, or the kernel older than 5.5?): connections take longer to set up")]
    private partial void NoSharedFilters(int errno);

    [LoggerMessage(7, LogLevel.Warning, "Connections that an earlier router handed over hold TCP mode's port {Wanted}: it listens at {Port} until its next start, and has told the other routers")]
    private partial void OtherTcpPort(int wanted, int port);

    [LoggerMessage(2, LogLevel.Warning, "The thread of the {Part} is not real-time (errno {Errno}; CAP_SYS_NICE is missing?): latencies suffer where programs spin")]
    private partial void NotRealTime(string part, int errno);

    [LoggerMessage(3, LogLevel.Information, "Leaving the cluster")]
    private partial void Stopping();

    [LoggerMessage(4, LogLevel.Warning, "The cluster did not confirm within {Bound} that this router has left")]
    private partial void LeftWithoutGoodbye(TimeSpan bound);
}
