using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

#pragma warning disable CS0169 // reserved fields only hold their place

// TCP mode's part of what the shim and the router say to each other, as Freeflow.Shim/protocol.h lays it out.

/// <summary><c>enum ff_note_type</c></summary>
public enum NoteType : uint
{
    Want = 1,
    Connect = 2,
    Flow = 3,
    Plain = 4,
    Drop = 5,
}

/// <summary><c>enum ff_note_flag</c></summary>
[Flags]
public enum NoteFlags : uint
{
    None = 0,
    Ipv6 = 1,
    Bound = 2,
    Sample = 4,
    Here = 8,
}

/// <summary><c>enum ff_route_flag</c></summary>
[Flags]
public enum RouteFlags : uint
{
    None = 0,
    Learns = 1,
}

/// <summary><c>struct ff_note</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct ShimNote
{
    public NoteType Type;
    public NoteFlags Flags;
    public uint Route;
    public uint Socket;
    public uint Address;
    public uint Port;
    public ulong Bytes;
    public uint Milliseconds;
    public uint Connections;
}

/// <summary><c>struct ff_sockets</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct ShimSockets
{
    public uint Route;
    public uint Generation;
    public NoteFlags Flags;
    public uint Endpoint;
    public uint EndpointPort;
    public uint Reason;
    public uint Count;
    public SocketNumbers Numbers;

    /// <summary>Of the container's <see cref="HandoverCount"/>.</summary>
    public uint Handover;

    [InlineArray(HostSocket.MaximumDescriptors)]
    public struct SocketNumbers
    {
        private uint _first;
    }
}

/// <summary><c>struct ff_delivery</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct ShimDelivery
{
    public uint Peer;
    public uint Local;
    public ushort PeerPort;
    public ushort LocalPort;

    /// <summary>Of the container's <see cref="HandoverCount"/>.</summary>
    public uint Handover;
}

/// <summary><c>enum ff_listener_note_type</c></summary>
public enum ListenerNoteType : uint
{
    Waits = 1,
    Backlog = 2,
    Ends = 3,
    Closes = 4,
}

/// <summary><c>struct ff_listener_note</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct ShimListenerNote
{
    public ListenerNoteType Type;
    public uint Value;
}

/// <summary><c>struct ff_resolve</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct ShimResolve
{
    public uint Destination;
    public uint Port;
    public uint Source;
    public uint Replace;
}

/// <summary><c>struct ff_resolved</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct ShimResolved
{
    public uint Route;
    public uint Word;
    public RouteFlags Flags;
    private readonly uint _reserved;

    /// <summary>What the word says.</summary>
    public readonly PlainReason Reason => (PlainReason)(byte)(Word >> 8);
}

/// <summary><c>struct ff_listen</c></summary>
[StructLayout(LayoutKind.Sequential)]
public struct ShimListen
{
    public uint Backlog;
    private readonly uint _reserved;
}

/// <summary><c>struct ff_ends</c>: addresses in network order, ports in the machine's.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ShimEnds
{
    public uint Mark;
    public uint Local;
    public uint Peer;
    public ushort LocalPort;
    public ushort PeerPort;
}
