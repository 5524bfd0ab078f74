namespace Freeflow.Verbs.Handover;

/// <summary>What TCP mode has done. Written by its thread, read by any: each figure is right, all together nearly.</summary>
public sealed class HandoverStatistics
{
    private readonly long[] _plain = new long[64];
    private long _strayed;
    private long _policyEnded;

    /// <summary>Host sockets given to containers.</summary>
    public long SocketsIssued { get; internal set; }

    /// <summary>Connections that containers of this host have begun over host sockets.</summary>
    public long Announced { get; internal set; }

    /// <summary>Connections put into the queues of this host's listeners.</summary>
    public long Delivered { get; internal set; }

    /// <summary>Connections that this router did not let through to a listener.</summary>
    public long Refused { get; internal set; }

    /// <summary>Connections to the endpoint that nobody has announced in time.</summary>
    public long Unannounced { get; internal set; }

    /// <summary>Connections to the endpoint from addresses that are no router's.</summary>
    public long Strangers { get; internal set; }

    /// <summary>Announcements whose connection never came.</summary>
    public long Expired { get; internal set; }

    /// <summary>Notes and frames that make no sense: sockets that were not given, announcements for others' addresses.</summary>
    public long Misused { get; internal set; }

    /// <summary>Connections reset because their listener was gone, or its queue and the wait for it full.</summary>
    public long Reset { get; internal set; }

    /// <summary>Connections that were taken back from queues in which nobody read them.</summary>
    public long TakenBack { get; internal set; }

    /// <summary>Connections of this host's listeners that have come to them by the overlay instead, with this router or the client's in between.</summary>
    public long Relayed { get; internal set; }

    /// <summary>How often a listener was found to be served from the kernel's queue alone, and left plain for a while.</summary>
    public long Deaf { get; internal set; }

    /// <summary>Destinations that have been found to see only short connections.</summary>
    public long LearntShort { get; internal set; }

    /// <summary>Handed-over sockets that were found to have left their peer.</summary>
    public long Strayed => Interlocked.Read(ref _strayed);

    /// <summary>Connections that were reset because the policy allows them no more; one within a host may count for each end.</summary>
    public long PolicyEnded => Interlocked.Read(ref _policyEnded);

    /// <summary>Listeners that are delivered to, processes that use TCP mode, connections that wait for their announcement.</summary>
    public int Listeners { get; internal set; }

    public int Processes { get; internal set; }

    /// <summary>Connections that this router carries, of clients and of listeners.</summary>
    public int Relays { get; internal set; }

    public int Waiting { get; internal set; }

    public int Links { get; internal set; }

    /// <summary>Where the endpoint for AF_INET listeners listens, which need not be the port that was configured; 0 without an endpoint.</summary>
    public int EndpointPort { get; internal init; }

    /// <summary>The same of the endpoint for AF_INET6 listeners.</summary>
    public int Ipv6EndpointPort { get; internal init; }

    /// <summary>Why connections were plain, as the shims and the first look at a destination tell.</summary>
    public IReadOnlyDictionary<string, long> Plain =>
        Enum.GetValues<PlainReason>().Where(reason => _plain[(int)reason] > 0).ToDictionary(reason => reason.ToString(), reason => _plain[(int)reason]);

    /// <summary>Any thread.</summary>
    public void CountStrayed() => Interlocked.Increment(ref _strayed);

    /// <summary>Any thread.</summary>
    public void CountPolicyEnded() => Interlocked.Increment(ref _policyEnded);

    internal void CountPlain(PlainReason reason)
    {
        if ((uint)reason < _plain.Length)
            _plain[(int)reason]++;
    }
}
