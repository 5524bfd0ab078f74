using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// The way from the router to one listening socket of a container: a queue in the kernel that all who have the listener share. The
/// router has a copy of the application's end too, to take back what nobody reads. It is the kernel that says when the listener is
/// gone; the router gives its copy up then, and the queue hangs up when the last process has closed it.
/// </summary>
public sealed class DeliveryChannel : IDisposable
{
    private const int SendBufferForce = 32;
    private const int SendBufferBytes = 16 << 20;

    private readonly SafeFileHandle _ours;
    private readonly Queue<long> _delivered = new(); // when; the oldest may have been read
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

    /// <summary>The application's end, to be passed to whoever shows the listener.</summary>
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

    /// <summary>The listener is gone: it is delivered to no more.</summary>
    internal bool IsRetired { get; private set; }

    /// <summary>Whether the loop looks at it every few milliseconds.</summary>
    internal bool IsWatched { get; set; }

    /// <summary>A process has said that it closes the listener: until then it is asked for often.</summary>
    internal long LookUntil { get; set; }

    /// <summary>When a delivery was last seen to have been read; as all times here in the loop's milliseconds.</summary>
    internal long LastRead { get; private set; } = long.MinValue / 2;

    internal ListenerProbe? Probe { get; set; }

    /// <summary>How often a process took only what had come to the kernel's queue, since a delivery was last read.</summary>
    internal int Late { get; set; }

    /// <summary>Until when it is not delivered to, since nobody reads; 0: it is.</summary>
    internal long DeafUntil { get; set; }

    /// <summary>For how long it was plain the last time; 0 when it has been read since.</summary>
    internal long Pause { get; set; }

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
    internal int Deliver(int connection, in VirtualEnds ends, long now)
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
        if (sent > 0)
            _delivered.Enqueue(now);
        if (_unit == 0 && sent > 0 && HostSocket.Queued(Socket) is > 0 and var bytes)
            _unit = bytes;
        FaultPoint.Pass(FaultPoint.ConnectionSent);
        HostSocket.Close(connection);
        Container.Handovers.LetGo();
        return Math.Min(sent, 0);
    }

    /// <summary>For how long the oldest delivery has not been read; negative when all have been.</summary>
    internal long UnreadFor(long now)
    {
        if (_delivered.Count == 0)
            return -1;
        for (var queued = Queued; _delivered.Count > queued; _delivered.Dequeue())
            (LastRead, Late, Pause) = (now, 0, 0);
        return _delivered.TryPeek(out var oldest) ? now - oldest : -1;
    }

    /// <summary>Takes the oldest delivery that nobody has read; null when there is none.</summary>
    internal (int Socket, VirtualEnds Ends)? TakeBack()
    {
        if (IsRetired)
            return null;
        Span<byte> bytes = stackalloc byte[Marshal.SizeOf<ShimDelivery>()];
        if (HostSocket.ReceiveWithDescriptor(ApplicationEnd, bytes, out var socket) != bytes.Length || socket < 0)
            return null;
        _ = _delivered.TryDequeue(out _);
        var delivery = MemoryMarshal.Read<ShimDelivery>(bytes);
        return (socket, new VirtualEnds(new Ipv4(delivery.Local), delivery.LocalPort, new Ipv4(delivery.Peer), delivery.PeerPort));
    }

    /// <summary>Gives up the router's copy of the application's end.</summary>
    internal void Retire()
    {
        IsRetired = true;
        ApplicationEnd.Dispose();
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
