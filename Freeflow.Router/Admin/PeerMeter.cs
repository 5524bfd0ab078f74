using System.Diagnostics.Metrics;
using Freeflow.Actors.Directory;
using Freeflow.Verbs.Engine;

namespace Freeflow.Router.Admin;

/// <summary>What is counted of each other member, by its cluster address.</summary>
internal static class PeerMeter
{
    public static void AddTo(Meter meter, AddressBook book, VerbsEngine engine)
    {
        IEnumerable<(string Peer, PeerTally Tally)> All()
        {
            // A member that was started again may be there twice for a moment; the newer one counts.
            var peers = new Dictionary<string, PeerTally>();
            foreach (var (node, number) in book.Peers.OrderBy(peer => peer.Value))
            {
                if (engine.TallyOf(number) is { } tally && NodeName.AddressOf(node) is { } at)
                    peers[$"{at.Host}:{at.Port}"] = tally;
            }

            return peers.Select(peer => (peer.Key, peer.Value));
        }

        void Counter(string name, Func<PeerTally, long> read, string unit, string description) =>
            meter.CreateObservableCounter("freeflow.peer." + name, () => All().Select(each => Of(read(each.Tally), each.Peer)), unit, description);

        Counter("sent_bytes", tally => tally.BytesSent, "By", "Sent on data links to a peer");
        Counter("received_bytes", tally => tally.BytesReceived, "By", "Received on data links from a peer");
        Counter("retries", tally => tally.Retries, "{retry}", "Requests to a peer's QPs that were sent again");
        Counter("links_lost", tally => tally.LinksLost, "{link}", "Data links to a peer that were lost");
        meter.CreateObservableGauge("freeflow.peer.link_up", () => All().Select(each => Of(each.Tally.IsUp ? 1 : 0, each.Peer)), null, "Whether the data link to a peer is up");
    }

    private static Measurement<long> Of(long value, string peer) => new(value, new KeyValuePair<string, object?>("peer", peer));
}
