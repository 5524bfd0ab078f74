using System.Runtime.InteropServices;
using Freeflow.Lab;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Microsoft.Win32.SafeHandles;

namespace Freeflow.Verbs.Testbed.Handover;

/// <summary>A program with a listener: it does by hand what Freeflow.Shim/listeners.c does with the delivery channel.</summary>
public sealed class HandoverServer : IDisposable
{
    private readonly HandoverSite _site;
    private readonly PlayedNetwork _network;
    private readonly SafeFileHandle _end;

    private static long s_lastCookie;

    /// <param name="site">Its router.</param>
    /// <param name="container">Its container.</param>
    /// <param name="port">Where it listens.</param>
    /// <param name="address">Null: at every address.</param>
    /// <param name="isIpv6">Whether it is an AF_INET6 listener.</param>
    /// <param name="backlog">As given to listen().</param>
    public HandoverServer(HandoverSite site, HandoverContainer container, int port, string? address = null, bool isIpv6 = false, int backlog = 128)
    {
        _site = site;
        _network = site.NetworkOf(container);
        var cookie = (ulong)Interlocked.Increment(ref s_lastCookie);
        Channel = new DeliveryChannel(container, new ListeningSocket(address is null ? null : Addresses.Of(address), (ushort)port, isIpv6, cookie), backlog);
        _end = StreamSocket.Duplicate(Channel.ApplicationEnd);
        site.Loop.Attach(Channel);
    }

    public DeliveryChannel Channel { get; }

    /// <summary>Begins to wait for connections.</summary>
    public HandoverServer Wait()
    {
        Tell(ListenerNoteType.Waits);
        return this;
    }

    public void Tell(ListenerNoteType type, uint value = 0)
    {
        var note = new ShimListenerNote { Type = type, Value = value };
        Tell(MemoryMarshal.AsBytes(new ReadOnlySpan<ShimListenerNote>(in note)));
    }

    public void Tell(ReadOnlySpan<byte> note) => UnixSocket.Send(_end, note, []);

    /// <summary>The next connection in the queue; null when it is empty.</summary>
    public DeliveredConnection? TryAccept()
    {
        Span<byte> bytes = stackalloc byte[64];
        List<SafeFileHandle> descriptors = [];
        var got = UnixSocket.Receive(_end, bytes, descriptors, out _);
        if (got <= 0)
            return null;
        if (got != Marshal.SizeOf<ShimDelivery>() || descriptors.Count != 1)
            throw new InvalidDataException($"a delivery of {got} bytes with {descriptors.Count} descriptors");
        var delivery = MemoryMarshal.Read<ShimDelivery>(bytes);
        return new DeliveredConnection(
            new HandedSocket(descriptors[0]),
            new VirtualEnds(new Ipv4(delivery.Local), delivery.LocalPort, new Ipv4(delivery.Peer), delivery.PeerPort));
    }

    /// <summary>Waits for one, with a bound.</summary>
    public DeliveredConnection Accept() => WaitFor.Answer($"a connection for {Channel.Listener}", TryAccept);

    /// <summary>Whether the router has let go of it.</summary>
    public bool HasEnded => _site.EndedListeners.Contains(Channel);

    /// <summary>Ends as a process that is killed: what is queued goes with it.</summary>
    public void Dispose()
    {
        _network.End(Channel.Listener.Cookie);
        _end.Dispose();
    }
}

/// <summary>A connection out of a listener's queue, and what was said of it.</summary>
public sealed record DeliveredConnection(HandedSocket Socket, VirtualEnds Ends) : IDisposable
{
    public void Dispose() => Socket.Dispose();
}
