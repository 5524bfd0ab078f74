using Akka.Actor;
using Akka.Cluster;
using Akka.DistributedData;
using Akka.Event;
using Freeflow.Actors.Events;
using Freeflow.Actors.Membership;
using Freeflow.Actors.Roll;
using Freeflow.Verbs.Containers;

namespace Freeflow.Actors.Directory;

/// <summary>
/// The cluster's table of virtual addresses, replicated by Akka.DistributedData: each router writes pages of the addresses that its own
/// containers have, and follows the pages of the other members (<see cref="DirectoryPage"/>). An address that another member owns is not
/// taken from it: the claim waits until the other gives it up or is removed. Of two routers that claim one address before they hear of each
/// other the first keeps it. Within this router the container that claimed an address first has it.
/// </summary>
public sealed class DirectoryActor : ListedActor, IWithTimers
{
    private static readonly TimeSpan s_writeWithin = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_betweenWrites = TimeSpan.FromMilliseconds(100);

    /// <summary>How long an address may be on its way here, as the kernel waits a second for a neighbour's answer.</summary>
    private static readonly TimeSpan s_findWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_lookAgain = TimeSpan.FromMilliseconds(100);

    private readonly AddressBook _book;
    private readonly AddressTable _table;
    private readonly IActorRef _replicator;
    private readonly Akka.Cluster.Cluster _cluster;
    private readonly string _self;
    private readonly string _selfAddress;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<string, ContainerClaim> _claims = [];

    /// <summary>The container of this router that an address belongs to: who claimed it first.</summary>
    private readonly Dictionary<TenantAddress, string> _holders = [];
    private readonly HashSet<TenantAddress> _waiting = [];
    private readonly HashSet<int> _written = [];
    private readonly List<(TenantAddress Address, IActorRef Asker, TimeSpan Since)> _searches = [];
    private TimeSpan? _lastLook;
    private bool _isPausing;
    private long _nextOrder;

    public DirectoryActor(AddressBook book)
    {
        _book = book;
        _cluster = Akka.Cluster.Cluster.Get(Context.System);
        _self = NodeName.Of(_cluster.SelfUniqueAddress);
        _selfAddress = _cluster.SelfAddress.ToString();
        _table = new AddressTable(book, _self);
        _replicator = DistributedData.Get(Context.System).Replicator;
        Receive<DirectoryProtocol.Claim>(Claim);
        Receive<DirectoryProtocol.Find>(Find);
        Receive<LookAgain>(_ => Search());
        Receive<GetSuccess>(got => Take(got.Key, got.Data));
        Receive<Changed>(changed => Take(changed.Key, changed.Data));
        Receive<ClusterEvent.MemberRemoved>(removed => Forget(removed.Member));
        Receive<ClusterEvent.IMemberEvent>(news => Follow(news.Member));
        Receive<Write>(_ => WriteChanges());
        // Not written again: where members are slow to answer, that would make them slower.
        Receive<UpdateTimeout>(late => _log.Debug("Directory: not every member has confirmed a page in time; gossip brings it: {0}", late));
        ReceiveAny(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>By the clock that the timers go by.</summary>
    private static TimeSpan Now => Context.System.Scheduler.MonotonicClock;

    public static Props Props(AddressBook book) => Akka.Actor.Props.Create(() => new DirectoryActor(book));

    protected override void PreStart()
    {
        // After a failure there is what this router has written before.
        _replicator.Tell(Dsl.Subscribe(new PageKey(_selfAddress, 0), Self));
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent));
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void Claim(DirectoryProtocol.Claim claim)
    {
        var before = _claims.Remove(claim.Container, out var earlier) ? earlier : null;
        if (claim.Addresses.Count > 0)
        {
            var addresses = claim.Addresses.Select(gid => TenantAddress.Of(claim.Tenant, gid)).Distinct().ToList();
            _claims.Add(claim.Container, new ContainerClaim(claim.Container, addresses, Sender, before?.Order ?? ++_nextOrder));
            foreach (var address in addresses)
                _holders.TryAdd(address, claim.Container);
        }
        else
        {
            Sender.Tell(new DirectoryProtocol.Granted([]));
        }

        var concerned = new HashSet<string> { claim.Container };
        foreach (var gone in (before?.Addresses ?? []).Where(address => _holders.GetValueOrDefault(address) == claim.Container && !claim.Has(address)))
        {
            _holders.Remove(gone);
            _waiting.Remove(gone);
            if (_claims.Values.Where(other => other.Addresses.Contains(gone)).MinBy(other => other.Order) is { } heir)
            {
                _holders.Add(gone, heir.Container);
                concerned.Add(heir.Container);
            }
            else
            {
                _table.Withdraw(gone);
            }
        }

        Reconcile(concerned);
        Tell();
    }

    private void Find(DirectoryProtocol.Find find)
    {
        var now = Now;
        _searches.Add((find.Address, Sender, now));
        // Changes are announced in batches; the replicator may have it already.
        if (_lastLook is not { } last || now - last >= s_lookAgain)
        {
            _lastLook = now;
            foreach (var key in _table.Followed)
                _replicator.Tell(Dsl.Get(key, ReadLocal.Instance));
        }

        Timers.StartPeriodicTimer("search", LookAgain.Instance, s_lookAgain);
        Search();
    }

    private void Search()
    {
        _searches.RemoveAll(search =>
        {
            if (_book.PeerOf(search.Address) is { } peer)
                search.Asker.Tell(new DirectoryProtocol.Found(peer));
            else if (Now - search.Since >= s_findWithin)
                search.Asker.Tell(new DirectoryProtocol.NotFound(search.Address));
            else
                return false;
            return true;
        });
        if (_searches.Count == 0)
            Timers.Cancel("search");
    }

    /// <summary>Writes what this router's containers have and the table does not say; tells them what is theirs.</summary>
    private void Reconcile(IEnumerable<string> containers)
    {
        foreach (var claim in containers.Select(container => _claims.GetValueOrDefault(container)).OfType<ContainerClaim>().OrderBy(claim => claim.Order).ToArray())
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
                Dispute(address, $"in container {claim.Container} and belongs to container {holder}", claim.Container, ("holder", holder));
            return;
        }

        claim.Disputed.Remove(address);
        var owner = _book.OwnerOf(address);
        if (owner is not null && owner != _self)
        {
            // It may be that both have claimed it before they heard of each other, and the other was first.
            _table.Withdraw(address);
            if (_waiting.Add(address))
                Dispute(address, $"in container {claim.Container} here and owned by {owner}", claim.Container, ("owner", owner));
            return;
        }

        _waiting.Remove(address);
        if (owner is null)
            _table.Claim(new PageEntry(address, Context.System.Scheduler.Now.UtcTicks));
    }

    private static void Dispute(TenantAddress address, string where, string container, (string Name, object? Value) other) => Context.Report(
        EventKind.AddressDisputed, $"Directory: {address.Address.ToAddress()} is in use {where}; the claim waits",
        ("address", address.Address.ToAddress()), ("container", container), other);

    private void Grant(ContainerClaim claim)
    {
        var now = claim.Addresses.Where(address => !claim.Disputed.Contains(address) && _book.OwnerOf(address) == _self).ToList();
        if (claim.Granted is { } before && before.SequenceEqual(now))
            return;
        claim.Granted = now;
        claim.Actor.Tell(new DirectoryProtocol.Granted([.. now.Select(address => address.Address)]));
    }

    /// <summary>At once, or shortly after what was written last, with what has come meanwhile: claims come in crowds.</summary>
    private void WriteSoon()
    {
        if (!_isPausing)
            WriteChanges();
    }

    private void WriteChanges()
    {
        _isPausing = _table.Own.HasChanges;
        if (!_isPausing)
            return;
        Timers.StartSingleTimer("write", Write.Instance, s_betweenWrites);
        var pages = _table.Own.Count;
        foreach (var (index, entries) in _table.Own.TakeChanges())
        {
            var key = new PageKey(_selfAddress, index);
            if (_written.Add(index) && index > 0)
                _replicator.Tell(Dsl.Subscribe(key, Self));
            _replicator.Tell(Dsl.Update(key, DirectoryPage.Empty, new WriteAll(s_writeWithin),
                before => new DirectoryPage(_self, before.Version + 1, pages, entries)));
        }
    }

    private void Take(IKey key, object data)
    {
        if (key is not PageKey page || data is not DirectoryPage content)
            return;
        if (page.Address == _selfAddress)
        {
            TakeOwn(page, content);
            return;
        }

        if (!content.IsSound)
            _log.Warning("Directory: {0} is no page of addresses, and is not heeded", page.Id);
        var changed = new List<TenantAddress>();
        Subscribe(_table.Take(page, content, changed));
        Heed(changed);
    }

    private void TakeOwn(PageKey page, DirectoryPage content)
    {
        if (content.Node == _self && content.IsSound && !_written.Contains(page.Index))
        {
            // From before this actor failed and was started again.
            foreach (var entry in PageEntries.Of(content.Entries))
                _table.Claim(entry);
            for (var next = page.Index == 0 ? 1 : content.Pages; next < content.Pages; next++)
                _replicator.Tell(Dsl.Subscribe(new PageKey(_selfAddress, next), Self));
            Tell();
        }
        else if (content.Node != _self && _written.Contains(page.Index))
        {
            // Others have tidied up behind this router's earlier incarnation at the moment at which this one wrote.
            _table.Own.MarkChanged(page.Index);
            WriteSoon();
        }
    }

    private void Follow(Member member)
    {
        if (member.UniqueAddress == _cluster.SelfUniqueAddress)
        {
            // What was written before this router was a member is with nobody yet.
            if (member.Status == MemberStatus.Up)
            {
                foreach (var index in _written)
                    _table.Own.MarkChanged(index);
                WriteSoon();
            }

            return;
        }

        if (WireVersion.IsUnderstood(member))
            Subscribe(_table.Join(NodeName.Of(member.UniqueAddress), member.Address.ToString()));
    }

    private void Forget(Member member)
    {
        var node = NodeName.Of(member.UniqueAddress);
        var changed = new List<TenantAddress>();
        foreach (var key in _table.Leave(node, member.Address.ToString(), changed))
        {
            _replicator.Tell(Dsl.Unsubscribe(key, Self));
            // Every member does it, and all come to the same.
            _replicator.Tell(Dsl.Update(key, DirectoryPage.Empty, WriteLocal.Instance,
                page => page.Node == node && page.Entries.Length > 0 ? page with { Version = page.Version + 1, Entries = [] } : page));
        }

        Heed(changed);
    }

    private void Subscribe(IReadOnlyList<PageKey> keys)
    {
        foreach (var key in keys)
            _replicator.Tell(Dsl.Subscribe(key, Self));
    }

    /// <summary>Addresses have other owners than before: this router's containers may want them.</summary>
    private void Heed(List<TenantAddress> changed)
    {
        if (changed.Count == 0)
            return;
        Reconcile(changed.Select(address => _holders.GetValueOrDefault(address)).OfType<string>().Distinct());
        Tell();
    }

    /// <summary>Others, of what is claimed here; the connect path, and whoever waits for an address.</summary>
    private void Tell()
    {
        WriteSoon();
        _book.Change();
        Search();
    }

    /// <summary>What a container of this router says that it has.</summary>
    private sealed record ContainerClaim(string Container, IReadOnlyList<TenantAddress> Addresses, IActorRef Actor, long Order)
    {
        /// <summary>Addresses that another container of this router had first.</summary>
        public HashSet<TenantAddress> Disputed { get; } = [];

        public IReadOnlyList<TenantAddress>? Granted { get; set; }
    }

    private sealed class LookAgain
    {
        public static LookAgain Instance { get; } = new();
    }

    private sealed class Write
    {
        public static Write Instance { get; } = new();
    }
}
