using System.ComponentModel;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>The network of a container by its network namespace.</summary>
public sealed class NamespaceNetwork : IContainerNetwork
{
    private const int ReuseAddressOption = 2;

    private readonly NetworkNamespace _namespace;
    private readonly SocketLookup? _lookup;

    /// <param name="namespace">A holder of its own is made.</param>
    public NamespaceNetwork(NetworkNamespace @namespace)
    {
        _namespace = @namespace.Duplicate();
        try
        {
            _lookup = Namespaces.RunIn(_namespace.Handle, () => new SocketLookup());
        }
        catch (InvalidOperationException unknown) when (unknown.InnerException is Win32Exception)
        {
            // A kernel without sock_diag: freeflow doctor says so. Listeners end when they are said to.
        }
    }

    public bool IsListening(ListeningSocket listener) =>
        _lookup is null || listener.Cookie == 0 || _lookup.IsListening(listener.Address, listener.Port, listener.Cookie);

    public bool? IsAccepted(in VirtualEnds ends) => _lookup is null ? false : _lookup.IsAccepted(ends);

    public int Connect(in VirtualEnds ends)
    {
        var wanted = ends;
        try
        {
            return Namespaces.RunIn(_namespace.Handle, () => Begin(wanted));
        }
        catch (InvalidOperationException gone)
        {
            return gone.InnerException is Win32Exception { NativeErrorCode: var errno } ? -errno : -Errno.ENETDOWN;
        }
    }

    public void Dispose()
    {
        _lookup?.Dispose();
        _namespace.Dispose();
    }

    private static int Begin(in VirtualEnds ends)
    {
        var socket = HostSocket.OpenNonBlocking();
        if (socket < 0)
            return socket;
        _ = HostSocket.SetOption(socket, ReuseAddressOption, [1, 0, 0, 0]);
        var result = HostSocket.Bind(socket, ipv6: false, ends.Local, ends.LocalPort);
        if (result == -Errno.EADDRINUSE)
            result = HostSocket.Bind(socket, ipv6: false, ends.Local, 0);
        if (result >= 0)
            result = HostSocket.Connect(socket, ends.Peer, ends.PeerPort);
        if (result >= 0)
            return socket;
        HostSocket.Close(socket);
        return result;
    }
}
