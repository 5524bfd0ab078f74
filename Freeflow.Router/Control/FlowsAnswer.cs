namespace Freeflow.Router.Control;

/// <summary>What `freeflow flows` shows.</summary>
/// <param name="Flows">Accelerated connections that containers of this host have begun, the oldest first.</param>
/// <param name="Total">How many there are.</param>
/// <param name="Plain">Destinations that processes have asked for and that their next connection would reach over the overlay.</param>
/// <param name="PlainUnseen">Destinations of processes that were not looked at, since there are too many.</param>
/// <param name="PlainByReason">Connections that were plain since the start, as the libraries in the containers and the first look at a destination tell.</param>
public sealed record FlowsAnswer(
    IReadOnlyList<FlowAnswer> Flows, int Total, IReadOnlyList<PlainAnswer> Plain, int PlainUnseen, IReadOnlyDictionary<string, long> PlainByReason);

/// <param name="Container">The client's network namespace.</param>
/// <param name="Tenant">Whose it is.</param>
/// <param name="Local">The client's address and port, as both ends see them.</param>
/// <param name="Peer">The server's.</param>
/// <param name="Router">The endpoint of the server's router.</param>
/// <param name="HostPort">The local port of the host's socket that carries it.</param>
/// <param name="Since">UTC.</param>
/// <param name="BytesSent">By the client, acknowledged; null when the kernel does not say.</param>
/// <param name="BytesReceived">By the client; the same.</param>
/// <param name="HasStrayed">Whether the socket has left its peer.</param>
public sealed record FlowAnswer(
    string Container, string Tenant, string Local, string Peer, string Router, int HostPort, DateTime Since, ulong? BytesSent, ulong? BytesReceived, bool HasStrayed);

/// <param name="Container">Its processes.</param>
/// <param name="Tenant">Whose it is.</param>
/// <param name="Destination">Where to.</param>
/// <param name="Reason">A name of PlainReason.</param>
/// <param name="Why">The same in words.</param>
/// <param name="Processes">How many were told it.</param>
public sealed record PlainAnswer(string Container, string Tenant, string Destination, string Reason, string Why, int Processes);
