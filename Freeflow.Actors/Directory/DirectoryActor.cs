using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.DistributedData;
using Akka.Event;
using Freeflow.Verbs.Abi;

namespace Freeflow.Actors.Directory;

/// <summary>
/// The cluster's table of virtual addresses, replicated by Akka.DistributedData: address → owning router. An address that
/// another live member owns is not taken from it: the claim waits until the other gives it up or leaves.
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
    private readonly Dictionary<string, HashSet<Gid>> _claims = [];
    private readonly HashSet<Gid> _waiting = [];
    private readonly List<(Gid Address, IActorRef Asker, DateTime Deadline)> _searches = [];
    private ImmutableDictionary<Gid, string> _owners = ImmutableDictionary<Gid, string>.Empty;

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
        var before = _claims.GetValueOrDefault(claim.Container) ?? [];
        if (claim.Addresses.Count == 0)
            _claims.Remove(claim.Container);
        else
            _claims[claim.Container] = [.. claim.Addresses];
        foreach (var gone in before.Where(gid => !claim.Addresses.Contains(gid) && !IsClaimed(gid)))
            Release(gone);
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

    private bool IsClaimed(Gid gid) => _claims.Values.Any(addresses => addresses.Contains(gid));

    /// <summary>Writes what this router's containers have and the table does not say.</summary>
    private void Reconcile()
    {
        foreach (var gid in _claims.Values.SelectMany(addresses => addresses).Distinct())
        {
            var owner = _owners.GetValueOrDefault(gid);
            if (owner == _self)
            {
                _waiting.Remove(gid);
                continue;
            }

            if (owner is not null && IsMember(owner))
            {
                if (_waiting.Add(gid))
                    _log.Warning("Directory: {0} is in use here and owned by {1}; the claim waits", gid.ToAddress(), owner);
                continue;
            }

            _waiting.Remove(gid);
            Put(gid, _self);
        }
    }

    private void Put(Gid gid, string node)
    {
        Publish(_owners.SetItem(gid, node));
        var key = gid.ToAddress().ToString();
        _replicator.Tell(Dsl.Update(s_key, LWWDictionary<string, string>.Empty, new WriteAll(TimeSpan.FromSeconds(3)),
            table => table.SetItem(_cluster.SelfUniqueAddress, key, node)));
    }

    private void Release(Gid gid)
    {
        if (_owners.GetValueOrDefault(gid) != _self)
            return;
        Publish(_owners.Remove(gid));
        var key = gid.ToAddress().ToString();
        _replicator.Tell(Dsl.Update(s_key, LWWDictionary<string, string>.Empty, WriteLocal.Instance,
            table => table.TryGetValue(key, out var owner) && owner == _self ? table.Remove(_cluster, key) : table));
    }

    private void Adopt(LWWDictionary<string, string> table)
    {
        var owners = ImmutableDictionary.CreateBuilder<Gid, string>();
        foreach (var (address, node) in table.Entries)
        {
            if (System.Net.IPAddress.TryParse(address, out var parsed))
                owners[Gid.FromAddress(parsed)] = node;
        }

        Publish(owners.ToImmutable());
        Reconcile();
    }

    private void Forget(string node)
    {
        foreach (var gid in _owners.Where(entry => entry.Value == node).Select(entry => entry.Key).ToArray())
        {
            var key = gid.ToAddress().ToString();
            _replicator.Tell(Dsl.Update(s_key, LWWDictionary<string, string>.Empty, WriteLocal.Instance,
                table => table.TryGetValue(key, out var owner) && owner == node ? table.Remove(_cluster, key) : table));
            Publish(_owners.Remove(gid));
        }

        Reconcile();
    }

    private bool IsMember(string node) => _cluster.State.Members.Any(member => NodeName.Of(member.UniqueAddress) == node);

    private void Publish(ImmutableDictionary<Gid, string> owners)
    {
        _owners = owners;
        _book.Replace(owners);
        Search();
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
