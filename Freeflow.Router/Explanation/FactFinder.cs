using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Cluster;
using Freeflow.Actors;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Peers;
using Freeflow.Actors.Policy;
using Freeflow.Router.Configuration;
using Freeflow.Router.Control;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Policy;

namespace Freeflow.Router.Explanation;

/// <summary>Gathers from the directory, the cluster and TCP mode what an explanation needs.</summary>
internal sealed class FactFinder(RouterOptions options, ActorSystem system, HandoverLoop handover, AddressBook book, PolicyInForce policy)
{
    /// <param name="request">Source, Destination, and where they are given Port and Tenant.</param>
    /// <param name="peers">The other routers.</param>
    /// <param name="within">How long TCP mode may take.</param>
    /// <param name="stop">Ends the wait.</param>
    public async Task<ConnectionFacts> FindAsync(ControlRequest request, PeersReport peers, TimeSpan within, CancellationToken stop)
    {
        var facts = new ConnectionFacts
        {
            Source = AddressOf(request, "Source"),
            Destination = AddressOf(request, "Destination"),
            Port = request.Number("Port", 0, 0, ushort.MaxValue),
        };
        var (source, destination) = (Gid.FromAddress(facts.Source), Gid.FromAddress(facts.Destination));
        var owners = book.Owners;
        if (TenantOf(request.Text("Tenant"), source, owners, peers.Own) is not { } tenant)
            return facts;
        facts = facts with
        {
            Tenant = NameOf(tenant),
            SourceRouter = RouterOf(owners.GetValueOrDefault(new TenantAddress(tenant, source)), peers),
            DestinationRouter = RouterOf(owners.GetValueOrDefault(new TenantAddress(tenant, destination)), peers),
            OtherTenants = [.. owners.Keys.Where(key => key.Address == destination && key.Tenant != tenant).Select(key => NameOf(key.Tenant)).Order(StringComparer.Ordinal)],
        };
        var current = policy.Current;
        facts = facts with
        {
            TcpPolicy = current.Decide(tenant, source, destination, facts.Port == 0 ? AccessPolicy.AnyPort : facts.Port, PolicyMode.Tcp),
            RdmaPolicy = current.DecidePair(tenant, source, destination),
        };
        if (Ipv4.From(facts.Source) is not { } from || Ipv4.From(facts.Destination) is not { } to)
            return facts;
        var verdict = new TaskCompletionSource<TcpVerdict>(TaskCreationOptions.RunContinuationsAsynchronously);
        handover.Explain(tenant, from, new Destination(to, facts.Port), verdict.SetResult);
        return facts with { Tcp = await verdict.Task.WaitAsync(within, stop) };
    }

    private static IPAddress AddressOf(ControlRequest request, string key)
    {
        if (request.Text(key) is not { } text || !IPAddress.TryParse(text, out var address))
            throw new ControlException($"\"{key}\" has to be an IP address");
        return address.AddressFamily == AddressFamily.InterNetworkV6 && address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    /// <summary>The tenant that has the source, one on this host before others; null when nobody has it.</summary>
    private ulong? TenantOf(string? named, Gid source, IReadOnlyDictionary<TenantAddress, string> owners, string own)
    {
        if (named is not null)
            return new Tenant(named).Key;
        var having = owners.Where(entry => entry.Key.Address == source).ToList();
        var here = having.Where(entry => entry.Value == own).ToList();
        var candidates = (here.Count > 0 ? here : having).Select(entry => entry.Key.Tenant).Distinct().ToList();
        return candidates.Count switch
        {
            0 => null,
            1 => candidates[0],
            _ => throw new ControlException(
                $"several tenants have that address: {string.Join(", ", candidates.Select(NameOf).Order(StringComparer.Ordinal))}; name one by --tenant"),
        };
    }

    /// <summary>A tenant of another host may be one that this router's settings do not name.</summary>
    private string NameOf(ulong tenant) =>
        options.Tenants.ByBridge.Values.Append(Tenant.Default).FirstOrDefault(known => known.Key == tenant)?.Name ?? $"{tenant:x16}";

    private RouterFacts? RouterOf(string? node, PeersReport peers)
    {
        if (node is null)
            return null;
        var address = NodeName.AddressOf(node) is { } known ? $"{known.Host}:{known.Port}" : node;
        var state = Cluster.Get(system).State;
        var peer = peers.Peers.FirstOrDefault(candidate => candidate.Node == node);
        var isReachable = !state.Unreachable.Any(member => NodeName.Of(member.UniqueAddress) == node);
        return new RouterFacts(address, node == peers.Own, node == peers.Own || peer is not null, isReachable, peer?.Data);
    }
}
