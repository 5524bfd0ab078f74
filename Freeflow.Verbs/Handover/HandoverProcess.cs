using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Memory;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Handover;

/// <summary>
/// One process in TCP mode: its note socket, its route memory, and the sockets that it was given. The memory is the process's to
/// read; what it writes there it tells only itself.
/// </summary>
public sealed class HandoverProcess : IDisposable
{
    public const int MaximumRoutes = 1024;

    private const int MaximumKnown = 4096;
    private const long StaleAfter = 15_000;

    private readonly SharedMemory _words = SharedMemory.Create("freeflow-routes", MaximumRoutes * sizeof(uint));
    private readonly SafeFileHandle _ours;
    private readonly Dictionary<uint, GivenSocket> _given = [];
    private uint _lastNumber;
    private uint _lastStale; // sockets up to this number count no longer; numbers may wrap around

    public HandoverProcess(HandoverContainer container)
    {
        Container = container;
        (_ours, NoteSocket) = UnixSocket.SequencedPair();
        Socket = (int)_ours.DangerousGetHandle();
    }

    public HandoverContainer Container { get; }

    /// <summary>The process's end, to be passed to it and closed.</summary>
    public SafeFileHandle NoteSocket { get; }

    /// <summary>The route memory, to be passed.</summary>
    public SafeFileHandle RouteMemory => _words.Handle;

    /// <summary>The router's end, valid until disposed.</summary>
    internal int Socket { get; }

    internal SafeHandle Handle => _ours;

    internal ulong Key { get; set; }

    internal List<Route> Routes { get; } = [];

    /// <summary>The sockets that it was given and has not connected, as far as they are remembered.</summary>
    internal IReadOnlyDictionary<uint, GivenSocket> Given => _given;

    internal void Publish(Route route) =>
        Volatile.Write(ref MemoryMarshal.Cast<byte, uint>(_words.Span(route.Index * sizeof(uint), sizeof(uint)))[0], route.Word);

    /// <summary>
    /// Notes a socket as given; its number. It is known until it connects or so many more were given, however long that takes: it may
    /// lie unread in the note socket while the process connects elsewhere.
    /// </summary>
    internal uint Give(in GivenSocket socket)
    {
        _given.Add(++_lastNumber, socket);
        Container.SocketsOut++;
        var forgotten = _lastNumber - MaximumKnown;
        TryTake(forgotten, out _);
        if (_lastNumber - _lastStale > MaximumKnown)
            _lastStale = forgotten;
        return _lastNumber;
    }

    /// <summary>Takes a socket that is about to connect: once.</summary>
    internal bool TryTake(uint number, out GivenSocket socket)
    {
        if (!_given.Remove(number, out socket))
            return false;
        if (IsCounted(number))
            Container.SocketsOut--;
        return true;
    }

    /// <summary>Counts sockets no longer that the shim has most likely thrown away by now.</summary>
    internal void DiscountStale(long now)
    {
        for (; _lastStale != _lastNumber; _lastStale++)
        {
            if (!_given.TryGetValue(_lastStale + 1, out var socket))
                continue;
            if (now - socket.Since <= StaleAfter)
                return;
            Container.SocketsOut--;
        }
    }

    public void Dispose()
    {
        Container.SocketsOut -= _given.Keys.Count(IsCounted);
        _given.Clear();
        _ours.Dispose();
        NoteSocket.Dispose();
        _words.Dispose();
    }

    private bool IsCounted(uint number) => _lastNumber - number < _lastNumber - _lastStale;
}

/// <summary>A host socket in a process's hands.</summary>
internal readonly record struct GivenSocket(
    Route Route, HandoverPeer Peer, int EndpointPort, bool IsIpv6Listener, ushort HostPort, VirtualEnds Ends, ulong Cookie, long Since, long Rate);
