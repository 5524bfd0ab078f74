using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.DistributedData;
using Akka.Event;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;

namespace Freeflow.Actors.Directory;

/// <summary>
/// The cluster's table of virtual addresses, replicated by Akka.DistributedData: address → owning router. An address that
/// another live member owns is not taken from it: the claim waits until the other gives it up or leaves. Within this router
/// the container that claimed an address first has it.
/// </summary>
public sealed class DirectoryActor : ReceiveActor, IWithTimers
{
    private static readonly LWWDictionaryKey<string, string> s_key = new("freeflow-addresses");
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(1);

    /// <summary>How long an address may be on its way here, as the kernel waits a second for a neighbour's answer.</summary>
    private static readonly TimeSpan s_findWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_lookAgain = TimeSpan.FromMilliseconds(100);

    private readonly AddressBook _book;
    private readonly IActorRef _replicator;
    private readonly Akka.Cluster.Cluster _cluster;
    private readonly string _self;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<string, ContainerClaim> _claims = [];

    /// <summary>The container of this router that an address belongs to: who claimed it first.</summary>
    private readonly Dictionary<TenantAddress, string> _holders = [];
    private readonly HashSet<TenantAddress> _waiting = [];
    private readonly List<(TenantAddress Address, IActorRef Asker, DateTime Deadline)> _searches = [];
    private ImmutableDictionary<TenantAddress, string> _owners = ImmutableDictionary<TenantAddress, string>.Empty;
    private ImmutableHashSet<string> _keys = [];
    private long _nextOrder;

    public DirectoryActor(AddressBook book)
    {
        _book = book;
        _cluster = Akka.Cluster.Cluster.Get(Context.System);
        _self = NodeName.Of(_cluster.SelfUniqueAddress);
        _replicator = DistributedData.Get(Context.System).Replicator;
        Receive<DirectoryProtocol.Claim>(Claim);
        Receive<DirectoryProtocol.Find>(Find);
        Receive<LookAgain>(_ => Search());
        Receive<GetSuccess>(got => Adopt(got.Get(s_key)));
        Receive<Changed>(changed => Adopt(changed.Get(s_key)));
        Receive<ClusterEvent.MemberRemoved>(removed => Forget(NodeName.Of(removed.Member.UniqueAddress)));
        Receive<Retry>(_ => Reconcile());
        Receive<UpdateTimeout>(late => _log.Debug("Directory: not every member has confirmed an update in time; gossip brings it: {0}", late));
        ReceiveAny(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(AddressBook book) => Akka.Actor.Props.Create(() => new DirectoryActor(book));

    protected override void PreStart()
    {
        _replicator.Tell(Dsl.Subscribe(s_key, Self));
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.MemberRemoved));
        Timers.StartPeriodicTimer("retry", Retry.Instance, s_retry);
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void Claim(DirectoryProtocol.Claim claim)
    {
        var before = _claims.Remove(claim.Container, out var earlier) ? earlier : null;
        if (claim.Addresses.Count > 0)
        {
            var addresses = claim.Addresses.Select(gid => TenantAddress.Of(claim.Tenant, gid)).Distinct().ToList();
            _claims.Add(claim.Container, new ContainerClaim(claim.Container, claim.Tenant, addresses, Sender, before?.Order ?? ++_nextOrder));
            foreach (var address in addresses)
                _holders.TryAdd(address, claim.Container);
        }
        else
        {
            Sender.Tell(new DirectoryProtocol.Granted([]));
        }

        foreach (var gone in (before?.Addresses ?? []).Where(address => _holders.GetValueOrDefault(address) == claim.Container && !claim.Has(address)))
        {
            _holders.Remove(gone);
            if (_claims.Values.Where(other => other.Addresses.Contains(gone)).MinBy(other => other.Order) is { } heir)
                _holders.Add(gone, heir.Container);
            else
                Release(gone, before!.Tenant);
        }

        Reconcile();
    }

    private void Find(DirectoryProtocol.Find find)
    {
        _searches.Add((find.Address, Sender, DateTime.UtcNow + s_findWithin));
        // Changes are announced in batches; the others' tables may have it already.
        _replicator.Tell(Dsl.Get(s_key, new ReadAll(s_findWithin)));
        Timers.StartPeriodicTimer("search", LookAgain.Instance, s_lookAgain);
        Search();
    }

    private void Search()
    {
        _searches.RemoveAll(search =>
        {
            if (_book.PeerOf(search.Address) is { } peer)
                search.Asker.Tell(new DirectoryProtocol.Found(peer));
            else if (DateTime.UtcNow >= search.Deadline)
                search.Asker.Tell(new DirectoryProtocol.NotFound(search.Address));
            else
                return false;
            return true;
        });
        if (_searches.Count == 0)
            Timers.Cancel("search");
    }

    /// <summary>Writes what this router's containers have and the table does not say; tells them what is theirs.</summary>
    private void Reconcile()
    {
        foreach (var claim in _claims.Values.OrderBy(claim => claim.Order).ToArray())
        {
            foreach (var address in claim.Addresses)
                Reconcile(claim, address);
            Grant(claim);
        }
    }

    private void Reconcile(ContainerClaim claim, TenantAddress address)
    {
        var holder = _holders[address];
        if (holder != claim.Container)
        {
            if (claim.Disputed.Add(address))
                _log.Warning("Directory: {0} is in use in container {1} and belongs to container {2}; the claim waits", address.Address.ToAddress(), claim.Container, holder);
            return;
        }

        claim.Disputed.Remove(address);
        var owner = _owners.GetValueOrDefault(address);
        if (owner == _self)
        {
            _waiting.Remove(address);
            return;
        }

        if (owner is not null && IsMember(owner))
        {
            if (_waiting.Add(address))
                _log.Warning("Directory: {0} is in use here and owned by {1}; the claim waits", address.Address.ToAddress(), owner);
            return;
        }

        _waiting.Remove(address);
        Put(address, claim.Tenant);
    }

    private void Grant(ContainerClaim claim)
    {
        var now = claim.Addresses.Where(address => !claim.Disputed.Contains(address) && _owners.GetValueOrDefault(address) == _self).ToList();
        if (claim.Granted is { } before && before.SequenceEqual(now))
            return;
        claim.Granted = now;
        claim.Actor.Tell(new DirectoryProtocol.Granted([.. now.Select(address => address.Address)]));
    }

    private void Put(TenantAddress address, Tenant tenant)
    {
        Publish(_owners.SetItem(address, _self));
        var key = DirectoryKey.Of(tenant, address.Address);
        _replicator.Tell(Dsl.Update(s_key, LWWDictionary<string, string>.Empty, new WriteAll(TimeSpan.FromSeconds(3)),
            table => table.SetItem(_cluster.SelfUniqueAddress, key, _self)));
    }

    private void Release(TenantAddress address, Tenant tenant)
    {
        if (_owners.GetValueOrDefault(address) != _self)
            return;
        Publish(_owners.Remove(address));
        Withdraw(DirectoryKey.Of(tenant, address.Address), _self);
    }

    private void Withdraw(string key, string node) =>
        _replicator.Tell(Dsl.Update(s_key, LWWDictionary<string, string>.Empty, WriteLocal.Instance,
            table => table.TryGetValue(key, out var owner) && owner == node ? table.Remove(_cluster, key) : table));

    private void Adopt(LWWDictionary<string, string> table)
    {
        var owners = ImmutableDictionary.CreateBuilder<TenantAddress, string>();
        foreach (var (key, node) in table.Entries)
        {
            if (DirectoryKey.TryParse(key, out var address))
                owners[address] = node;
        }

        _keys = table.Entries.Keys.ToImmutableHashSet();
        Publish(owners.ToImmutable());
        Reconcile();
    }

    private void Forget(string node)
    {
        var gone = _owners.Where(entry => entry.Value == node).Select(entry => entry.Key).ToHashSet();
        foreach (var key in _keys.Where(key => DirectoryKey.TryParse(key, out var address) && gone.Contains(address)))
            Withdraw(key, node);
        Publish(_owners.RemoveRange(gone));
        Reconcile();
    }

    private bool IsMember(string node) => _cluster.State.Members.Any(member => NodeName.Of(member.UniqueAddress) == node);

    private void Publish(ImmutableDictionary<TenantAddress, string> owners)
    {
        _owners = owners;
        _book.Replace(owners);
        Search();
    }

    /// <summary>What a container of this router says that it has.</summary>
    private sealed record ContainerClaim(string Container, Tenant Tenant, IReadOnlyList<TenantAddress> Addresses, IActorRef Actor, long Order)
    {
        /// <summary>Addresses that another container of this router had first.</summary>
        public HashSet<TenantAddress> Disputed { get; } = [];

        public IReadOnlyList<TenantAddress>? Granted { get; set; }
    }

    private sealed class LookAgain
    {
        public static LookAgain Instance { get; } = new();
    }

    private sealed class Retry
    {
        public static Retry Instance { get; } = new();
    }
}
