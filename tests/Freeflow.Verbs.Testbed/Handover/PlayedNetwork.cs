using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Testbed.Handover;

/// <summary>A container's own network: its listeners end when the test says so, and its connections lead to a socket of the test's.</summary>
public sealed class PlayedNetwork : IContainerNetwork
{
    private readonly ConcurrentDictionary<ulong, bool> _ended = new();
    private readonly ConcurrentDictionary<VirtualEnds, bool> _accepted = new();

    /// <summary>What plain connections lead to; null: nobody listens.</summary>
    public Socket? Destination { get; set; }

    /// <summary>Plain connections that were begun from here, as their clients see them.</summary>
    public ConcurrentQueue<VirtualEnds> Begun { get; } = new();

    /// <summary>A listener is gone.</summary>
    public void End(ulong cookie) => _ended[cookie] = true;

    /// <summary>A plain connection has been accepted here.</summary>
    public void Accept(in VirtualEnds ends) => _accepted[ends] = true;

    bool IContainerNetwork.IsListening(ListeningSocket listener) => !_ended.ContainsKey(listener.Cookie);

    bool? IContainerNetwork.IsAccepted(in VirtualEnds ends) => _accepted.ContainsKey(ends);

    int IContainerNetwork.Connect(in VirtualEnds ends)
    {
        if (Destination?.LocalEndPoint is not IPEndPoint to)
            return -Errno.ECONNREFUSED;
        var socket = HostSocket.OpenNonBlocking();
        if (socket < 0)
            return socket;
        var result = HostSocket.Connect(socket, Ipv4.From(to.Address)!.Value, to.Port);
        if (result >= 0)
        {
            Begun.Enqueue(ends with { LocalPort = (ushort)HostSocket.PortOf(socket) });
            return socket;
        }

        HostSocket.Close(socket);
        return result;
    }

    public void Dispose()
    {
    }
}
