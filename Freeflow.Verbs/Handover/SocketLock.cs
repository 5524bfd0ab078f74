using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// Makes a host socket good for one peer only, for ever: a filter that passes packets from one address and port, and SO_LOCK_FILTER
/// (socket(7)). It stays through connect(AF_UNSPEC), and what is accepted from a listener made of the socket inherits it. The
/// virtual addresses go with the socket too (<see cref="EndsOption"/>).
/// </summary>
internal sealed class SocketLock : IDisposable
{
    private const int LockFilterOption = 44;

    private readonly SharedFilters? _shared;

    private SocketLock(SharedFilters? shared) => _shared = shared;

    /// <summary>The way that the kernel allows; <paramref name="error"/> is its errno where that is the slow one, else 0.</summary>
    public static SocketLock Open(out int error) => new(SharedFilters.TryCreate(out error));

    /// <summary>A filter for each socket, as where there is no CAP_BPF.</summary>
    public static SocketLock WithOwnFilters() => new(null);

    /// <summary>Locks a socket (TCP over IPv4, AF_INET or mapped) that is bound to a port and will connect; 0 or -errno.</summary>
    /// <param name="socket">Bound, and not yet connected.</param>
    /// <param name="localPort">What it is bound to.</param>
    /// <param name="peer">Whose packets pass.</param>
    /// <param name="ends">What the connection is to its application.</param>
    public int Connecting(int socket, int localPort, (Ipv4 Address, int Port) peer, in VirtualEnds ends) =>
        Lock(socket, peer, ends, _shared?.AttachToConnecting(socket, localPort, peer) ?? -1);

    /// <summary>Locks a socket that was accepted at a local port; 0 or -errno.</summary>
    public int Accepted(int socket, int localPort, (Ipv4 Address, int Port) peer, in VirtualEnds ends) =>
        Lock(socket, peer, ends, _shared?.AttachToAccepted(socket, localPort, peer) ?? -1);

    /// <summary>No connections of a peer host are accepted any more.</summary>
    public void Forget(Ipv4 peer) => _shared?.Forget(peer);

    public void Dispose() => _shared?.Dispose();

    private static int Lock(int socket, (Ipv4, int) peer, in VirtualEnds ends, int attached)
    {
        if (attached < 0)
            attached = OwnFilter.Attach(socket, peer);
        if (attached < 0)
            return attached;
        var written = EndsOption.Write(socket, ends);
        return written < 0 ? written : HostSocket.SetOption(socket, LockFilterOption, [1, 0, 0, 0]);
    }
}
