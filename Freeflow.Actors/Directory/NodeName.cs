using Akka.Actor;
using Akka.Cluster;

namespace Freeflow.Actors.Directory;

/// <summary>A member as text, with its incarnation: a restarted router is another node.</summary>
public static class NodeName
{
    public static string Of(UniqueAddress node) => $"{node.Address}#{(uint)node.Uid}";

    /// <summary>Where the member is; null for what is no node's name.</summary>
    public static Address? AddressOf(string node)
    {
        var end = node.LastIndexOf('#');
        return end > 0 && Address.TryParse(node[..end], out var address) ? address : null;
    }
}
