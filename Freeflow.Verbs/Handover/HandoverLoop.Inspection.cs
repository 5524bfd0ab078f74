using Freeflow.Verbs.Interop;

namespace Freeflow.Verbs.Handover;

// What TCP mode tells an operator. On its thread, in bounded time.
public sealed partial class HandoverLoop
{
    private const int MostListeners = 64;

    /// <summary>Destinations that processes have asked for, those with the same answer in a container together; <paramref name="done"/> gets them.</summary>
    /// <param name="most">How many routes are looked at.</param>
    /// <param name="done">Gets the answer.</param>
    public void ListDestinations(int most, Action<DestinationsSeen> done) => Post(() =>
    {
        var counts = new Dictionary<DestinationSeen, int>();
        var total = 0;
        foreach (var same in _routes.Values)
        {
            foreach (var route in same)
            {
                if (++total > most)
                    continue;
                var container = route.Process.Container;
                var seen = new DestinationSeen(container.Id, container.Tenant.Name, route.Destination.Address, route.Destination.Port, route.Reason);
                counts[seen] = counts.GetValueOrDefault(seen) + 1;
            }
        }

        done(new DestinationsSeen(counts, total, Math.Min(total, most)));
    });

    /// <summary>
    /// Would a connection from an address of a tenant's be accelerated? <paramref name="done"/> gets the verdict, with the port 0 for
    /// each port that the destination is known to listen on.
    /// </summary>
    public void Explain(ulong tenant, Ipv4 source, Destination destination, Action<TcpVerdict> done) => Post(() =>
    {
        var container = ContainerAt(tenant, source);
        var ports = PortsOf(tenant, destination.Address);
        if (container is null)
        {
            done(new TcpVerdict(null, 0, destination.Port, PlainReason.Source, ports));
            return;
        }

        var port = destination.Port;
        var reason = Judge(container, source, destination, out _, out _);
        // Of its listeners the one that fares best.
        foreach (var candidate in destination.Port == 0 ? ports : [])
        {
            var its = Judge(container, source, destination with { Port = candidate }, out _, out _);
            if (TcpVerdict.StepOf(its) <= TcpVerdict.StepOf(reason))
                continue;
            (reason, port) = (its, candidate);
        }

        done(new TcpVerdict(container.Id, container.Processes.Count, port, reason, ports));
    });

    private HandoverContainer? ContainerAt(ulong tenant, Ipv4 address) =>
        _containers.Find(container => container.Tenant.Key == tenant && container.Addresses.Contains(address));

    private List<int> PortsOf(ulong tenant, Ipv4 address)
    {
        if (_owners.OwnerOf(tenant, address) is not { } owner || !_peers.TryGetValue(owner, out var peer))
            return [];
        return [.. peer.Listeners.Keys.Where(key => key.Tenant == tenant && key.Address == address).Take(MostListeners).Select(key => (int)key.Port).Order()];
    }
}
