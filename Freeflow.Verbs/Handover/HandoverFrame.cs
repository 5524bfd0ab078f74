using System.Runtime.InteropServices;

namespace Freeflow.Verbs.Handover;

#pragma warning disable CS0169 // padding

/// <summary>What a frame between two routers' handover threads is.</summary>
internal enum HandoverFrameType : byte
{
    /// <summary>First on a link: the version, and where this router's endpoint is.</summary>
    Hello = 1,

    /// <summary>A listener that can be reached at an address, or has other flags than before.</summary>
    ListenerUp = 2,

    ListenerDown = 3,

    /// <summary>A container is about to connect over the host's network.</summary>
    Announce = 4,

    Ping = 5,

    /// <summary>A connection that the peer has announced is not taken by its listener: let it come by the overlay.</summary>
    Relay = 6,

    /// <summary>The answer: it comes to this router's endpoint once more, from another host port.</summary>
    Relayed = 7,

    /// <summary>The other answer: it does not come.</summary>
    RelayRefused = 8,
}

[Flags]
internal enum HandoverFlags : byte
{
    None = 0,

    /// <summary>The listener is an AF_INET6 socket.</summary>
    Ipv6 = 1,

    /// <summary>The listener's queue is full.</summary>
    Busy = 2,
}

/// <summary>One frame; all have this size. Little-endian, but for addresses, which are in network order.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HandoverFrame
{
    public const int Size = 40;
    public const uint CurrentVersion = 2;

    public HandoverFrameType Type;
    public HandoverFlags Flags;

    /// <summary>Announce, Relayed: the host port that the connection comes from.</summary>
    public ushort HostPort;

    /// <summary>Hello: <see cref="CurrentVersion"/>.</summary>
    public uint Version;

    /// <summary>Announce, and the three of a relay: the container that connects.</summary>
    public uint Source;

    /// <summary>All but Hello and Ping: the listener's address.</summary>
    public uint Destination;

    /// <summary>As Source: its port. Hello: the endpoint's for AF_INET6 listeners.</summary>
    public ushort SourcePort;

    /// <summary>As Destination: its port. Hello: the endpoint's.</summary>
    public ushort DestinationPort;

    /// <summary>Relayed: the port that the plain connection comes from.</summary>
    public ushort PlainPort;

    private readonly ushort _pad;

    /// <summary>The tenant that addresses belong to (<see cref="Containers.Tenant"/>).</summary>
    public ulong Tenant;

    private readonly ulong _reserved;
}
