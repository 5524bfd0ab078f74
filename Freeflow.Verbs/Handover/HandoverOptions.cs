using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>When connections are accelerated.</summary>
public enum AccelerationMode
{
    /// <summary>Unless those to the same destination have been too short to gain from it.</summary>
    Learned,
    Always,
    Never,
}

/// <summary>An address with a port, or with every port (0).</summary>
public readonly record struct Destination(Ipv4 Address, int Port);

/// <summary>TCP mode's settings; hocon/reference.conf has their meaning.</summary>
public sealed record HandoverOptions
{
    /// <summary>This host's address on the underlay. Null where that is IPv6: every connection is plain then.</summary>
    public required Ipv4? HostAddress { get; init; }

    /// <summary>Where other routers' containers connect to: one port for listeners of each address family.</summary>
    public int Port { get; init; } = 4482;

    public int Ipv6Port { get; init; } = 4483;

    /// <summary>Host ports for outgoing connections.</summary>
    public (int First, int Last) LocalPorts { get; init; } = (32768, 60999);

    public AccelerationMode Mode { get; init; } = AccelerationMode.Learned;

    public IReadOnlySet<Destination> Always { get; init; } = new HashSet<Destination>();

    public IReadOnlySet<Destination> Never { get; init; } = new HashSet<Destination>();

    /// <summary>SCHED_RR priority of the thread; 0: an ordinary one.</summary>
    public int RealTimePriority { get; init; } = 5;

    /// <summary>A filter for each socket, as where the kernel refuses those that all share: for tests of that way.</summary>
    public bool OwnFilters { get; init; }

    /// <summary>Whether limits of bandwidth are kept for connections that run: else it is as where the kernel can't, for tests of that.</summary>
    public bool PacesRunning { get; init; } = true;

    /// <summary>Host sockets that one container may have been given and not connected.</summary>
    public int SocketsPerContainer { get; init; } = 4096;

    /// <summary>How long a connection to the endpoint may wait for its announcement.</summary>
    public TimeSpan UnannouncedTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Connections that may wait so at once; beyond, the oldest is closed.</summary>
    public int MaximumUnannounced { get; init; } = 1024;

    /// <summary>How long an announcement waits for its connection: as long as the kernel retries a SYN.</summary>
    public TimeSpan AnnouncementTimeout { get; init; } = TimeSpan.FromSeconds(130);

    /// <summary>A peer that says nothing for so long is taken for unreachable.</summary>
    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>A connection with no more bytes and no longer than this is short.</summary>
    public long ShortBytes { get; init; } = 256 * 1024;

    public TimeSpan ShortTime { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>How many short ones in a row make a destination plain, and for how long.</summary>
    public int ShortInARow { get; init; } = 16;

    public TimeSpan ForgetAfter { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Tells the time for all of these.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
