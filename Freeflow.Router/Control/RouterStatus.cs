using Freeflow.Actors;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;

namespace Freeflow.Router.Control;

/// <summary>What `freeflow status` shows.</summary>
public sealed record RouterStatus(
    string Name,
    string Address,
    IReadOnlyList<MemberStatus> Members,
    IReadOnlyDictionary<string, string> Addresses,
    ActorCensus Actors,
    EngineStatistics Engine,
    HandoverStatistics Tcp,
    ConnectionStatistics RdmaCm,
    bool IsDraining,
    ClusterTrust Trust);

public sealed record MemberStatus(string Address, string Status, bool Reachable);
