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
    private LinkListener? _links;
    private ShimListener? _shims;
    private ControlSocket? _control;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var news = new EngineNews();
        _engine = new VerbsEngine(options.Engine, news);
        _engine.Start();

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
        system.ActorOf(RouterActor.Props(_engine, news, options.Limits, options.ContainerLinger, endpoint, started.SetResult), "router");
        var router = await started.Task.WaitAsync(TimeSpan.FromSeconds(10), cancellationToken);
        peers.SetResult(router.Peers);

        _shims = new ShimListener(Path.Combine(options.Directory, "run"), options.Name, new ShimNews(router.Containers), options.Shim);
        _shims.Start();
        _control = new ControlSocket(options, system, _engine, router);
        if (_engine.RealTimeRefused != 0)
            EngineNotRealTime(_engine.RealTimeRefused);
        Ready(options.Name, options.HostAddress, options.ClusterPort, options.LinkPort);
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
        _engine?.Dispose();
    }

    [LoggerMessage(1, LogLevel.Information, "Router {Name} is ready at {Address}, cluster port {ClusterPort}, link port {LinkPort}")]
    private partial void Ready(string name, IPAddress address, int clusterPort, int linkPort);

    [LoggerMessage(2, LogLevel.Warning, "The engine's thread is not real-time (errno {Errno}; CAP_SYS_NICE is missing?): latencies suffer where programs spin")]
    private partial void EngineNotRealTime(int errno);

    [LoggerMessage(3, LogLevel.Information, "Leaving the cluster")]
    private partial void Stopping();

    [LoggerMessage(4, LogLevel.Warning, "The cluster did not confirm within {Bound} that this router has left")]
    private partial void LeftWithoutGoodbye(TimeSpan bound);
}
