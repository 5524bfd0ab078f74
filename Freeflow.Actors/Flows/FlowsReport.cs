namespace Freeflow.Actors.Flows;

/// <summary>To <see cref="FlowsActor"/>; answered by <see cref="FlowsReport"/>.</summary>
public sealed record ListFlows(int Limit);

/// <summary>The accelerated connections that this host's containers have begun.</summary>
/// <param name="Flows">The oldest ones.</param>
/// <param name="Total">How many there are.</param>
public sealed record FlowsReport(IReadOnlyList<FlowReport> Flows, int Total);

/// <param name="Container">The client's.</param>
/// <param name="Tenant">Whose it is.</param>
/// <param name="Local">Address and port as the client sees them.</param>
/// <param name="Peer">The same of the server.</param>
/// <param name="Router">The endpoint of the server's router.</param>
/// <param name="HostPort">The local port of the socket that carries it.</param>
/// <param name="Since">When it was begun, UTC.</param>
/// <param name="Cookie">By which the kernel knows the socket.</param>
/// <param name="HasStrayed">Whether the socket has left its peer.</param>
public sealed record FlowReport(string Container, string Tenant, string Local, string Peer, string Router, int HostPort, DateTime Since, ulong Cookie, bool HasStrayed);
