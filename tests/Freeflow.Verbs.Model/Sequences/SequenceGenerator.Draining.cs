using Freeflow.Verbs.Model.Device;

namespace Freeflow.Verbs.Model.Sequences;

// The send queue drained state: what is posted waits, what comes in is taken.
public sealed partial class SequenceGenerator
{
    private static readonly string[] s_changedInSqd = ["access", "pkey", "rnr-timer", "qkey"];

    private void Drain(PairLink link, QueuePair qp)
    {
        Quieten(link);
        _to.Modify(qp, Chance(50) ? new Dictionary<string, uint> { ["notify"] = One(0u, 1u) } : [], PairState.Sqd);
        _to.Settle();
        if (Chance(40))
            _to.Query(qp);
        var waiting = Chance(70) ? Work(link, qp, _random.Next(1, Math.Min(4, qp.SendCapacity))) : [];
        Post(link, qp, waiting);
        _to.Settle();
        var peer = link.Other(qp);
        if (Chance(50) && qp.State == PairState.Sqd && peer.State == PairState.Rts && peer.Sends.Count == 0)
        {
            Post(link, peer, Work(link, peer, 1));
            _to.Settle();
        }

        if (Chance(40))
        {
            var changes = s_changedInSqd.Where(name => Chance(25) && Transitions.Allows(qp.Transport, PairState.Sqd, PairState.Sqd).Contains(name));
            _to.Modify(
                qp, changes.ToDictionary(name => name, Right), Chance(50) ? PairState.Sqd : null, hasPath: qp.Transport != Transport.Datagram && Chance(40));
            _to.Query(qp);
        }

        // A kernel's device goes on when it is told of another request.
        var last = Work(link, qp, 1);
        if (last.Count == 0 || Chance(25))
        {
            _to.Modify(qp, new Dictionary<string, uint>(), One(PairState.Err, PairState.Reset));
            _to.Settle();
            return;
        }

        _to.Modify(qp, new Dictionary<string, uint>(), PairState.Rts, Chance(30) ? PairState.Sqd : null);
        Post(link, qp, last);
        _to.Settle();
    }

    /// <summary>Requests that can be carried out, with the receives that they need: as many as there is room for.</summary>
    private List<SendRequest> Work(PairLink link, QueuePair from, int count)
    {
        var to = link.Other(from);
        count = Math.Min(count, from.SendCapacity - from.Sends.Count);
        var requests = Enumerable.Range(0, count).Select(_ => Request(link, from)).ToList();
        if (requests.Count > 0)
            requests[^1] = Request(link, from, Operation.Send) with { IsSignaled = true };
        var needed = from.Sends.Concat(requests).Count(request => request.Operation.TakesReceive()) - to.Receives.Count;
        return needed <= 0 || PostReceives(link, to, needed) == needed ? requests : [];
    }

    private void Post(PairLink link, QueuePair from, List<SendRequest> requests)
    {
        foreach (var request in requests)
            _to.Send(from, request, HandleOf(link, from));
    }
}
