using Akka.Cluster;

namespace Freeflow.Actors.Directory;

/// <summary>A member as text, with its incarnation: a restarted router is another node.</summary>
public static class NodeName
{
    public static string Of(UniqueAddress node) => $"{node.Address}#{(uint)node.Uid}";
}
