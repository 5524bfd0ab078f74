using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.SBR;

namespace Freeflow.Actors.Membership;

/// <summary>Akka's split-brain resolver for clusters of three and more; see <see cref="DowningActor"/> for smaller ones.</summary>
public sealed class RouterDowningProvider(ActorSystem system, Akka.Cluster.Cluster cluster) : IDowningProvider
{
    private readonly SplitBrainResolverProvider _resolver = new(system, cluster);

    public TimeSpan DownRemovalMargin => _resolver.DownRemovalMargin;

    public Props DowningActorProps => DowningActor.Props(
        _resolver.DowningActorProps,
        system.Settings.Config.GetTimeSpan("akka.cluster.split-brain-resolver.stable-after"));
}
