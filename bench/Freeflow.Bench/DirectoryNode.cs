using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Membership;
using Freeflow.Lab;

namespace Freeflow.Bench;

/// <summary>
/// A router's control plane as far as the directory needs it, with the settings that routers have. Only that nobody is taken for dead:
/// so many share this machine's cores that they are slow to answer.
/// </summary>
internal sealed record DirectoryNode(ActorSystem System, Cluster Cluster, AddressBook Book, IActorRef Directory)
{
    private static readonly Config s_config = ConfigurationFactory.ParseString($$"""
        akka {
          loglevel = ERROR
          stdout-loglevel = OFF
          remote {
            router-tcp { hostname = "127.0.0.1", port = 0 }
            transport-failure-detector.acceptable-heartbeat-pause = 600s
            watch-failure-detector.acceptable-heartbeat-pause = 600s
          }
          cluster.roles = [{{WireVersion.Role}}]
          cluster.failure-detector.acceptable-heartbeat-pause = 600s
        }
        """).WithFallback(ConfigurationFactory.ParseString(File.ReadAllText(Path.Combine(LabPaths.Find().Repository, "hocon/reference.conf"))));

    public string Name => NodeName.Of(Cluster.SelfUniqueAddress);

    /// <param name="seed">Whose cluster it joins; null: it is the first.</param>
    public static DirectoryNode Start(DirectoryNode? seed)
    {
        var system = ActorSystem.Create("freeflow", s_config);
        var cluster = Cluster.Get(system);
        cluster.Join(seed?.Cluster.SelfAddress ?? cluster.SelfAddress);
        var book = new AddressBook();
        return new DirectoryNode(system, cluster, book, system.ActorOf(DirectoryActor.Props(book), "directory"));
    }
}
