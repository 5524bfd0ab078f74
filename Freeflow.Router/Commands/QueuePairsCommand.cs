using System.CommandLine;
using Freeflow.Actors.Directory;
using Freeflow.Router.Control;
using Freeflow.Router.Output;

namespace Freeflow.Router.Commands;

/// <summary>`freeflow qps`: the QPs of this host's containers.</summary>
internal static class QueuePairsCommand
{
    public static Command Create() => RouterQuery.List<QueuePairsAnswer>("qps", "Shows the QPs of this host's containers", Show);

    private static int Show(QueuePairsAnswer answer)
    {
        var listing = new Listing("QPN#", "TYPE", "STATE", "CONTAINER", "TENANT", "PID#", "PEER", "PEER QPN#", "PEER ROUTER", "SENDS#", "PENDING#", "RECEIVES#");
        foreach (var entry in answer.QueuePairs)
        {
            var queuePair = entry.QueuePair;
            listing.Add(
                $"{queuePair.Number}",
                queuePair.Type,
                queuePair.State,
                queuePair.Local ?? entry.Address,
                entry.Tenant,
                queuePair.Pid > 0 ? $"{queuePair.Pid}" : "",
                queuePair.Peer,
                queuePair.PeerNumber is { } peer ? $"{peer}" : "",
                queuePair.Peer is null ? "" : RouterOf(queuePair.Router),
                $"{queuePair.Sends}",
                $"{queuePair.Pending}",
                $"{queuePair.Receives}");
        }

        listing.Write();
        RouterQuery.TellOfTheRest(answer.QueuePairs.Count, answer.Total, answer.Silent);
        return 0;
    }

    /// <summary>Without its incarnation.</summary>
    private static string RouterOf(string? node) => node is null ? "none known" : NodeName.AddressOf(node) is { } at ? $"{at.Host}:{at.Port}" : node;
}
