using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Freeflow.Lab;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Links;

namespace Freeflow.Verbs.Testbed.Handover;

/// <summary>
/// A host in TCP mode, at an address of the loopback: a real <see cref="HandoverLoop"/> with owners and a policy of the test's,
/// and with what it has reported.
/// </summary>
public sealed class HandoverSite : IHandoverEvents, IAddressOwners, IHandoverPolicy, IDisposable
{
    public const int Port = 14482;
    public const int Ipv6Port = 14483;

    private static readonly LinkCredential s_credential = new(RandomNumberGenerator.GetBytes(32));

    private readonly ConcurrentDictionary<(ulong Tenant, Ipv4 Address), int> _owners = new();
    private readonly ConcurrentDictionary<string, int> _peers = new();
    private readonly ConcurrentDictionary<HandoverContainer, PlayedNetwork> _networks = new();
    private readonly LinkListener _links;

    /// <param name="adjust">Changes the settings.</param>
    public HandoverSite(Func<HandoverOptions, HandoverOptions>? adjust = null)
    {
        Address = Addresses.NextHost();
        var options = new HandoverOptions
        {
            HostAddress = Address,
            Port = Port,
            Ipv6Port = Ipv6Port,
            LocalPorts = (20000, 29999),
            RealTimePriority = 0,
            Mode = AccelerationMode.Always,
        };
        Loop = new HandoverLoop(adjust is null ? options : adjust(options), this, this, this);
        Loop.Start();
        _links = new LinkListener(
            new IPEndPoint(Address.ToIPAddress(), 0), Name, _ => s_credential, encrypt: false, (node, link) => Loop.AttachLink(_peers[node], link), News.Enqueue);
    }

    public Ipv4 Address { get; }

    public string Name => Address.ToString();

    public HandoverLoop Loop { get; }

    public HandoverStatistics Statistics => Loop.Statistics;

    /// <summary>Everything that was reported, as text.</summary>
    public ConcurrentQueue<string> News { get; } = new();

    public ConcurrentQueue<AnnouncedFlow> Flows { get; } = new();

    public ConcurrentQueue<AcceptedFlow> AcceptedFlows { get; } = new();

    public ConcurrentQueue<HandoverProcess> EndedProcesses { get; } = new();

    public ConcurrentQueue<DeliveryChannel> EndedListeners { get; } = new();

    /// <summary>Who may connect to whom, beside what a tenant allows.</summary>
    public Func<Ipv4, Ipv4, ushort, bool> Policy { get; set; } = (_, _, _) => true;

    /// <summary>A container of this host that has these addresses.</summary>
    public HandoverContainer AddContainer(params string[] addresses) => AddContainer(Tenant.Default, addresses);

    public HandoverContainer AddContainer(Tenant tenant, params string[] addresses)
    {
        var network = new PlayedNetwork();
        var container = new HandoverContainer(string.Join(',', addresses), tenant, network);
        _networks.TryAdd(container, network);
        foreach (var address in addresses)
            _owners[(tenant.Key, Addresses.Of(address))] = EngineQueuePair.SameRouter;
        SetAddresses(container, addresses);
        return container;
    }

    public PlayedNetwork NetworkOf(HandoverContainer container) => _networks[container];

    public void SetAddresses(HandoverContainer container, params string[] addresses) =>
        Loop.SetAddresses(container, [.. addresses.Select(Addresses.Of)]);

    /// <summary>This host learns whose an address is; null: nobody's any more.</summary>
    public void Learn(string address, int? owner, Tenant? tenant = null)
    {
        var key = ((tenant ?? Tenant.Default).Key, Addresses.Of(address));
        if (owner is { } peer)
            _owners[key] = peer;
        else
            _owners.TryRemove(key, out _);
        Loop.LookAgain();
    }

    /// <summary>Another host becomes a member; its number here.</summary>
    public int Meet(Ipv4 host)
    {
        var number = _peers.GetOrAdd(host.ToString(), _ => _peers.Count);
        Loop.AddPeer(number, host);
        return number;
    }

    /// <summary>Opens a link as another router does, to be given to it or to be played on.</summary>
    public Task<AuthenticatedLink> DialAsync(Ipv4 from, bool encrypt = false) => LinkDialer.DialAsync(
        from.ToIPAddress(), new IPEndPoint(Address.ToIPAddress(), _links.Port), from.ToString(), Name, LinkPurpose.Handover, s_credential, encrypt, CancellationToken.None);

    /// <summary>Joins two hosts; what each calls the other.</summary>
    public static async Task<(int OfOther, int OfOne)> LinkAsync(HandoverSite one, HandoverSite other, bool encrypt = false)
    {
        var numbers = (one.Meet(other.Address), other.Meet(one.Address));
        one.Loop.AttachLink(numbers.Item1, await other.DialAsync(one.Address, encrypt));
        one.Await($"link up {numbers.Item1}");
        other.Await($"link up {numbers.Item2}");
        return numbers;
    }

    /// <summary>Waits until something was reported.</summary>
    public void Await(string news) => WaitFor.That($"\"{news}\"", () => News.Contains(news), () => string.Join(", ", News));

    public void Dispose()
    {
        _links.Dispose();
        Loop.Dispose();
    }

    int? IAddressOwners.OwnerOf(ulong tenant, Ipv4 address) => _owners.TryGetValue((tenant, address), out var owner) ? owner : null;

    bool IHandoverPolicy.Allows(ulong fromTenant, Ipv4 from, ulong toTenant, Ipv4 to, ushort port) => fromTenant == toTenant && Policy(from, to, port);

    void IHandoverEvents.Announced(in AnnouncedFlow flow) => Flows.Enqueue(flow);

    void IHandoverEvents.Accepted(in AcceptedFlow flow) => AcceptedFlows.Enqueue(flow);

    void IHandoverEvents.ProcessEnded(HandoverProcess process, string reason)
    {
        News.Enqueue($"process ended: {reason}");
        EndedProcesses.Enqueue(process);
    }

    void IHandoverEvents.ListenerGone(DeliveryChannel listener) => News.Enqueue("listener gone");

    void IHandoverEvents.ListenerEnded(DeliveryChannel listener)
    {
        News.Enqueue("listener ended");
        EndedListeners.Enqueue(listener);
    }

    void IHandoverEvents.HandoverLinkUp(int peer) => News.Enqueue($"link up {peer}");

    void IHandoverEvents.HandoverLinkDown(int peer, string reason) => News.Enqueue($"link down {peer}: {reason}");

    void IHandoverEvents.Noticed(string what) => News.Enqueue(what);
}
