using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// The way from the router to one listening socket of a container: a queue in the kernel that all who have the listener share,
/// and that hangs up when the last of them has closed it. What lies in it unread is reset then, as a backlog is.
/// </summary>
public sealed class DeliveryChannel : IDisposable
{
    private const int SendBufferForce = 32;
    private const int SendBufferBytes = 16 << 20;

    private readonly SafeFileHandle _ours;
    private int _unit;
    private int _room;

    public DeliveryChannel(HandoverContainer container, ListeningSocket listener, int backlog)
    {
        Container = container;
        Listener = listener;
        Backlog = backlog;
        (_ours, ApplicationEnd) = UnixSocket.SequencedPair();
        Socket = (int)_ours.DangerousGetHandle();
        // The listener's own backlog is the bound.
        _ = HostSocket.SetOption(Socket, SendBufferForce, BitConverter.GetBytes(SendBufferBytes));
    }

    public HandoverContainer Container { get; }

    public ListeningSocket Listener { get; }

    /// <summary>The application's end, to be passed to it and closed.</summary>
    public SafeFileHandle ApplicationEnd { get; }

    internal int Socket { get; }

    internal SafeHandle Handle => _ours;

    internal ulong Key { get; set; }

    /// <summary>As the kernel bounds a queue: one more than the backlog.</summary>
    internal int Backlog
    {
        get;
        set
        {
            field = value;
            _room = 0;
        }
    }

    /// <summary>Somebody has waited for connections through the shim.</summary>
    internal bool IsWaitedFor { get; set; }

    internal bool IsBusy { get; set; }

    /// <summary>Connections that found the queue full, in order of arrival.</summary>
    internal Queue<WaitingDelivery> Overflow { get; } = new();

    /// <summary>Connections in the queue.</summary>
    internal int Queued
    {
        get
        {
            var bytes = HostSocket.Queued(Socket);
            return bytes <= 0 ? 0 : _unit == 0 ? 1 : bytes / _unit;
        }
    }

    /// <summary>The kernel is asked only when as many have been queued as there was room for when it was asked last.</summary>
    internal bool HasRoom => _room > 0 || (_room = Backlog + 1 - Queued) > 0;

    /// <summary>Queues a connection, and closes the router's own descriptor in any case; 0 or -errno.</summary>
    internal int Deliver(int connection, in VirtualEnds ends)
    {
        var delivery = new ShimDelivery
        {
            Peer = ends.Peer.Network,
            Local = ends.Local.Network,
            PeerPort = ends.PeerPort,
            LocalPort = ends.LocalPort,
            Handover = Container.Handovers.Begin(),
        };
        var sent = HostSocket.Send(Socket, MemoryMarshal.AsBytes(new ReadOnlySpan<ShimDelivery>(in delivery)), [connection]);
        _room--;
        if (_unit == 0 && sent > 0 && HostSocket.Queued(Socket) is > 0 and var bytes)
            _unit = bytes;
        FaultPoint.Pass(FaultPoint.ConnectionSent);
        HostSocket.Close(connection);
        Container.Handovers.LetGo();
        return Math.Min(sent, 0);
    }

    public void Dispose()
    {
        while (Overflow.TryDequeue(out var waiting))
            HostSocket.Close(waiting.Socket);
        _ours.Dispose();
        ApplicationEnd.Dispose();
    }
}

/// <summary>A connection that waits for room in a listener's queue, until <paramref name="Deadline"/>.</summary>
internal readonly record struct WaitingDelivery(int Socket, VirtualEnds Ends, long Deadline);
