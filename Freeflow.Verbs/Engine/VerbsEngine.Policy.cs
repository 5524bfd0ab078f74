using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Policy;

namespace Freeflow.Verbs.Engine;

// Who may talk to whom, and how fast.
public sealed partial class VerbsEngine
{
    /// <summary>
    /// From now on these may talk, as fast as their rates are by now: QPs that are connected and may not any more fail, as by an access
    /// violation.
    /// </summary>
    public void SetPolicy(AccessPolicy policy) => Post(() =>
    {
        _core.Policy = policy;
        _core.Rates.LookAgain();
        foreach (var queuePair in _core.QueuePairs.Values.ToArray())
            EndIfForbidden(queuePair);
    });

    /// <summary>A turn of a QP whose container, or its tenant, may send only so fast.</summary>
    private void RunLimited(EngineQueuePair queuePair)
    {
        if (!_core.Rates.TryTakeTurn(queuePair, OperationsPerTurn, BytesPerTurn, out var budget))
        {
            if (queuePair.OwesAcknowledgement && queuePair.Responses.Count == 0)
                LinkOf(queuePair)?.Acknowledge(queuePair);
            return;
        }

        var (bytes, requests) = (budget.Bytes, _core.Statistics.WorkRequests);
        var left = Run(queuePair, budget);
        RateKeeper.Charge(queuePair, bytes - left.Bytes, _core.Statistics.WorkRequests - requests);
    }

    /// <summary>Whoever has connected it has looked before; the policy may have become another meanwhile.</summary>
    private void EndIfForbidden(EngineQueuePair queuePair)
    {
        if (queuePair.Type == QueuePairType.UnreliableDatagram || !queuePair.IsConnected
            || _core.Policy.AllowsPair(queuePair.Connection.Port, queuePair.LocalGid, queuePair.RemoteGid))
            return;
        _core.Statistics.PolicyEnded++;
        _core.Fail(queuePair, QueuePairFault.AccessViolation);
    }
}
