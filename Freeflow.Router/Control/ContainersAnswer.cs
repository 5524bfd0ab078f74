using Freeflow.Actors.Inspection;

namespace Freeflow.Router.Control;

/// <summary>What `freeflow containers` shows.</summary>
/// <param name="Containers">The first ones, by address.</param>
/// <param name="Total">How many there are.</param>
/// <param name="Silent">How many parts of the router have not said theirs in time.</param>
public sealed record ContainersAnswer(IReadOnlyList<ContainerAnswer> Containers, int Total, int Silent);

/// <param name="Id">Its network namespace.</param>
/// <param name="Tenant">Whose it is.</param>
/// <param name="Addresses">As its network namespace has them.</param>
/// <param name="IsPrivileged">Whether it gets no host sockets, since it could do to the host's network what it likes.</param>
/// <param name="Listeners">In TCP mode.</param>
/// <param name="Objects">Of all its processes.</param>
/// <param name="Processes">Those that have something open.</param>
public sealed record ContainerAnswer(
    string Id, string Tenant, IReadOnlyList<AddressSeen> Addresses, bool IsPrivileged, int Listeners, ObjectCounts Objects, IReadOnlyList<ProcessAnswer> Processes);

/// <param name="Pid">As the router sees it; 0 when it can't.</param>
/// <param name="Name">What the process calls itself (/proc/PID/comm): anything may be in it. Empty when the router does not see the process.</param>
/// <param name="Kind">verbs: an open device; tcp: TCP mode; rdma_cm.</param>
/// <param name="Objects">What hangs on it.</param>
public sealed record ProcessAnswer(int Pid, string Name, string Kind, ObjectCounts Objects);
