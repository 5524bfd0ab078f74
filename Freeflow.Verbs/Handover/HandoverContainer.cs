using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover.Pacing;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>A container in TCP mode: who it is, and what its processes share. Its state is TCP mode's thread's.</summary>
/// <param name="id">For logs.</param>
/// <param name="tenant">Whose it is.</param>
/// <param name="network">Its network, disposed with it; null: nothing is known of it.</param>
public sealed class HandoverContainer(string id, Tenant tenant, IContainerNetwork? network = null) : IDisposable
{
    private int _flows;
    private int _paced;
    private volatile PacedGroup _together = new();
    private object? _mostFlows; // an int, so that it is read whole
    private volatile Func<long>? _roomOfTenant;
    private readonly Lazy<HandoverCount> _handovers = new(LazyThreadSafetyMode.ExecutionAndPublication);

    public string Id { get; } = id;

    public Tenant Tenant { get; } = tenant;

    /// <summary>Where its sockets are looked for, and its connections relayed from.</summary>
    internal IContainerNetwork? Network { get; } = network;

    /// <summary>Made for the first process; throws Win32Exception (ENOMEM, EMFILE).</summary>
    public HandoverCount Handovers => _handovers.Value;

    /// <summary>The addresses that are its own and nobody else's.</summary>
    internal HashSet<Ipv4> Addresses { get; set; } = [];

    /// <summary>A process of it has shown to have CAP_NET_ADMIN over the host's network: it gets no host sockets. Other threads may read it.</summary>
    public bool IsPrivileged { get; internal set; }

    /// <summary>Accelerated connections that it has begun and that were there when the kernel was last asked.</summary>
    public int Flows => Volatile.Read(ref _flows);

    /// <summary>What its connections may send together.</summary>
    internal PacedGroup Own { get; } = new();

    /// <summary>Likewise those of its tenant's containers on this host.</summary>
    internal PacedGroup Together => _together;

    /// <summary>Bytes a second that none of its connections may have more of; 0: no limit.</summary>
    public long Pacing => (Own.Limit, _together.Limit) switch
    {
        (0, var tenant) => tenant,
        (var own, 0) => own,
        var (own, tenant) => Math.Min(own, tenant),
    };

    /// <summary>Its connections that <see cref="ConnectionPacer"/> has.</summary>
    internal int Paced => Volatile.Read(ref _paced);

    internal void CountPaced(int change) => Interlocked.Add(ref _paced, change);

    /// <summary>How many connections more it may begin, those counted that it has sockets for.</summary>
    internal long RoomForFlows
    {
        get
        {
            var (most, tenant) = (Volatile.Read(ref _mostFlows), _roomOfTenant);
            if (most is null && tenant is null)
                return int.MaxValue;
            return Math.Min((most as int? ?? int.MaxValue) - (long)Flows, tenant?.Invoke() ?? int.MaxValue) - SocketsOut;
        }
    }

    /// <summary>Any thread: a connection has begun, or is gone.</summary>
    public void CountFlows(int change) => Interlocked.Add(ref _flows, change);

    /// <summary>Any thread.</summary>
    /// <param name="pacing">Bytes a second of its connections together; 0: no limit.</param>
    /// <param name="flows">Connections that it may have begun at once; null: no limit.</param>
    /// <param name="roomOfTenant">How many more its tenant may begin; null: no limit.</param>
    /// <param name="together">What its tenant's connections may send together; null: no limit.</param>
    public void Limit(long pacing, int? flows, Func<long>? roomOfTenant, PacedGroup? together = null)
    {
        Own.Limit = pacing;
        if (together is not null || _together.Limit != 0)
            _together = together ?? new PacedGroup();
        Volatile.Write(ref _mostFlows, flows);
        _roomOfTenant = roomOfTenant;
    }

    internal List<HandoverProcess> Processes { get; } = [];

    internal List<DeliveryChannel> Listeners { get; } = [];

    internal Dictionary<Destination, DestinationHistory> Histories { get; } = [];

    /// <summary>Connections that it has begun over host sockets; like the others, read by any thread.</summary>
    public long Announced { get; internal set; }

    /// <summary>Connections put into the queues of its listeners.</summary>
    public long Delivered { get; internal set; }

    /// <summary>Connections of its that took the overlay, as far as the libraries tell.</summary>
    public long Plain { get; internal set; }

    /// <summary>Connections to it that came to nothing: refused, or reset.</summary>
    public long NotDelivered { get; internal set; }

    /// <summary>What the others have been told of its listeners.</summary>
    internal Dictionary<ListenerKey, ListenerState> Published { get; set; } = [];

    /// <summary>Host sockets that were given lately and have not connected yet.</summary>
    internal int SocketsOut { get; set; }

    /// <summary>Nothing is handed over to its processes any more.</summary>
    internal bool IsGone { get; private set; }

    public void Dispose()
    {
        IsGone = true;
        Network?.Dispose();
        if (_handovers.IsValueCreated)
            _handovers.Value.Dispose();
    }

    public override string ToString() => Id;
}
