using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

/// <summary>A container in TCP mode: who it is, and what its processes share. Its state is TCP mode's thread's.</summary>
/// <param name="id">For logs.</param>
/// <param name="tenant">Whose it is.</param>
public sealed class HandoverContainer(string id, Tenant tenant) : IDisposable
{
    private readonly Lazy<HandoverCount> _handovers = new(LazyThreadSafetyMode.ExecutionAndPublication);

    public string Id { get; } = id;

    public Tenant Tenant { get; } = tenant;

    /// <summary>Made for the first process; throws Win32Exception (ENOMEM, EMFILE).</summary>
    public HandoverCount Handovers => _handovers.Value;

    /// <summary>The addresses that are its own and nobody else's.</summary>
    internal HashSet<Ipv4> Addresses { get; set; } = [];

    /// <summary>A process of it has shown to have CAP_NET_ADMIN over the host's network: it gets no host sockets.</summary>
    internal bool IsPrivileged { get; set; }

    internal List<HandoverProcess> Processes { get; } = [];

    internal List<DeliveryChannel> Listeners { get; } = [];

    internal Dictionary<Destination, DestinationHistory> Histories { get; } = [];

    /// <summary>What the others have been told of its listeners.</summary>
    internal Dictionary<ListenerKey, ListenerState> Published { get; set; } = [];

    /// <summary>Host sockets that were given lately and have not connected yet.</summary>
    internal int SocketsOut { get; set; }

    /// <summary>Nothing is handed over to its processes any more.</summary>
    internal bool IsGone { get; private set; }

    public void Dispose()
    {
        IsGone = true;
        if (_handovers.IsValueCreated)
            _handovers.Value.Dispose();
    }

    public override string ToString() => Id;
}
