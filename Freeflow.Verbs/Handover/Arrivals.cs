using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>What a peer has said of a connection that is on its way.</summary>
/// <param name="Peer">Who has said it.</param>
/// <param name="Tenant">Whose addresses they are.</param>
/// <param name="Ends">As the client sees them.</param>
/// <param name="IsIpv6">Whether it is for an AF_INET6 listener.</param>
/// <param name="Deadline">Until when it holds.</param>
/// <param name="RelayedFrom">It carries one that this router wants relayed, whose plain one comes from this port; null: it is a container's.</param>
internal readonly record struct Announcement(HandoverPeer Peer, ulong Tenant, VirtualEnds Ends, bool IsIpv6, long Deadline, ushort? RelayedFrom = null);

/// <summary>A connection that has come to an endpoint.</summary>
internal readonly record struct Arrival(int Socket, bool IsIpv6, long Deadline);

/// <summary>
/// Brings announcements and connections together, whichever comes first, by the host address and port that the connection
/// comes from. A port is used again only when the kernel has no connection of it any more, so the newer announcement holds.
/// </summary>
internal sealed class Arrivals(HandoverOptions options)
{
    private readonly Dictionary<(Ipv4 From, int Port), Announcement> _announced = [];
    private readonly Dictionary<(Ipv4 From, int Port), Arrival> _arrived = [];
    private readonly Queue<((Ipv4 From, int Port) Key, long Deadline)> _oldest = new();
    private long _nextSweep;

    /// <summary>Connections that wait for their announcement.</summary>
    public int Waiting => _arrived.Count;

    /// <summary>A connection has come. True with its announcement, if there is one; else it waits, and one that must go for it is in <paramref name="displaced"/>.</summary>
    public bool Arrive((Ipv4 From, int Port) key, int socket, bool isIpv6, long now, out Announcement announcement, out int displaced)
    {
        displaced = -1;
        if (_announced.Remove(key, out announcement))
            return true;
        var deadline = now + (long)options.UnannouncedTimeout.TotalMilliseconds;
        if (_arrived.Remove(key, out var older))
            displaced = older.Socket;
        else if (_arrived.Count >= options.MaximumUnannounced && TakeOldest(long.MaxValue) is { } oldest)
            displaced = oldest;
        _arrived.Add(key, new Arrival(socket, isIpv6, deadline));
        _oldest.Enqueue((key, deadline));
        return false;
    }

    /// <summary>A connection is announced. True with it, if it has come already.</summary>
    public bool Announce((Ipv4 From, int Port) key, in Announcement announcement, out Arrival arrival)
    {
        if (_arrived.Remove(key, out arrival))
            return true;
        _announced[key] = announcement;
        return false;
    }

    /// <summary>The next connection that has waited too long; null when there is none.</summary>
    public int? TakeOldest(long now)
    {
        while (_oldest.TryPeek(out var oldest))
        {
            var present = _arrived.TryGetValue(oldest.Key, out var arrival) && arrival.Deadline == oldest.Deadline;
            if (present && oldest.Deadline > now)
                return null;
            _oldest.Dequeue();
            if (present)
            {
                _arrived.Remove(oldest.Key);
                return arrival.Socket;
            }
        }

        return null;
    }

    /// <summary>Drops announcements whose connections do not come; how many.</summary>
    public int Expire(long now)
    {
        const long between = 5000;
        if (now < _nextSweep)
            return 0;
        _nextSweep = now + between;
        return Drop(announcement => announcement.Deadline <= now);
    }

    /// <summary>A peer is gone; so are its announcements.</summary>
    public int Forget(HandoverPeer peer) => Drop(announcement => announcement.Peer == peer);

    public void CloseAll()
    {
        foreach (var arrival in _arrived.Values)
            HostSocket.Close(arrival.Socket);
        _arrived.Clear();
    }

    private int Drop(Func<Announcement, bool> which)
    {
        var gone = _announced.Where(entry => which(entry.Value)).Select(entry => entry.Key).ToList();
        gone.ForEach(key => _announced.Remove(key));
        return gone.Count;
    }
}
