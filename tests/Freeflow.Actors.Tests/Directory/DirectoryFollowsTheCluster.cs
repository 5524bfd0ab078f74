using System.Net;
using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Akka.DistributedData;
using Freeflow.Actors.Directory;
using Freeflow.Lab;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Engine;

namespace Freeflow.Actors.Tests.Directory;

/// <summary>Two real members in this process, joined over loopback.</summary>
[Trait("Tier", "Loop")]
public sealed class DirectoryFollowsTheCluster : ActorTest
{
    private static readonly Config s_config = ConfigurationFactory.ParseString("""
        akka {
          loglevel = WARNING
          actor {
            provider = cluster
            serializers.freeflow = "Freeflow.Actors.Serialization.HyperionMessageSerializer, Freeflow.Actors"
            serialization-bindings { "Freeflow.Actors.Serialization.IClusterMessage, Freeflow.Actors" = freeflow }
          }
          remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
          cluster {
            roles = ["freeflow-wire-2"]
            gossip-interval = 100ms
            leader-actions-interval = 100ms
            distributed-data { gossip-interval = 100ms, notify-subscribers-interval = 50ms, max-delta-elements = 20 }
          }
        }
        """);

    private const int Containers = 20;
    private const int AddressesOfEach = 100;

    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(20);
    private static readonly Gid s_firstGid = Gid.FromAddress(IPAddress.Parse("10.244.1.11"));
    private static readonly TenantAddress s_first = TenantAddress.Of(Tenant.Default, s_firstGid);
    private static readonly Gid s_secondGid = Gid.FromAddress(IPAddress.Parse("10.244.1.12"));
    private static readonly TenantAddress s_second = TenantAddress.Of(Tenant.Default, s_secondGid);

    private static readonly Gid s_thirdGid = Gid.FromAddress(IPAddress.Parse("10.244.1.13"));
    private static readonly TenantAddress s_third = TenantAddress.Of(Tenant.Default, s_thirdGid);

    private readonly ActorSystem _other = ActorSystem.Create("test", s_config);
    private readonly AddressBook _hereBook = new();
    private readonly AddressBook _thereBook = new();
    private readonly IActorRef _here;
    private readonly IActorRef _there;

    public DirectoryFollowsTheCluster()
        : base(s_config, "test")
    {
        var (here, there) = (Cluster.Get(Sys), Cluster.Get(_other));
        here.Join(here.SelfAddress);
        there.Join(here.SelfAddress);
        AwaitCondition(() => here.State.Members.Count(IsUp) == 2 && there.State.Members.Count(IsUp) == 2, TimeSpan.FromSeconds(20), s_interval);
        _hereBook.ReachOwn(NodeName.Of(here.SelfUniqueAddress));
        _hereBook.Reach(NodeName.Of(there.SelfUniqueAddress), 3);
        _thereBook.ReachOwn(NodeName.Of(there.SelfUniqueAddress));
        _thereBook.Reach(NodeName.Of(here.SelfUniqueAddress), 5);
        _here = Sys.ActorOf(DirectoryActor.Props(_hereBook));
        _there = _other.ActorOf(DirectoryActor.Props(_thereBook));
    }

    protected override void AfterAll()
    {
        _other.Terminate().Wait(WaitFor.Scaled(TimeSpan.FromSeconds(10)));
        base.AfterAll();
    }

    [Fact]
    public void AClaimIsSeenByTheOtherMember()
    {
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, [s_firstGid]));
        AwaitCondition(() => _thereBook.PeerOf(s_first) == 5, TimeSpan.FromSeconds(10), s_interval);
    }

    [Fact]
    public void AnAddressThatIsGivenUpIsForgotten()
    {
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, [s_firstGid, s_secondGid]));
        AwaitCondition(() => _thereBook.PeerOf(s_second) == 5, TimeSpan.FromSeconds(10), s_interval);
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, [s_secondGid]));
        AwaitCondition(() => _thereBook.PeerOf(s_first) is null, TimeSpan.FromSeconds(10), s_interval);
        Assert.Equal(5, _thereBook.PeerOf(s_second));
    }

    [Fact]
    public void AnAddressInUseIsNotTakenFromItsOwner()
    {
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, [s_firstGid]));
        AwaitCondition(() => _thereBook.PeerOf(s_first) == 5, TimeSpan.FromSeconds(10), s_interval);
        var claiming = CreateTestProbe();
        _there.Tell(new DirectoryProtocol.Claim("two", Tenant.Default, [s_firstGid]), claiming);
        Assert.Empty(claiming.ExpectMsg<DirectoryProtocol.Granted>(TimeSpan.FromSeconds(5)).Addresses);

        // The page with the next claim would bring the one before, too.
        _there.Tell(new DirectoryProtocol.Claim("three", Tenant.Default, [s_secondGid]));
        AwaitCondition(() => _hereBook.PeerOf(s_second) == 3, TimeSpan.FromSeconds(10), s_interval);
        Assert.Equal((EngineQueuePair.SameRouter, 5), (_hereBook.PeerOf(s_first), _thereBook.PeerOf(s_first)));
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, []));
        AwaitCondition(() => _hereBook.PeerOf(s_first) == 3, TimeSpan.FromSeconds(10), s_interval);
    }

    [Fact]
    public void WhoLooksForAnAddressThatIsOnItsWayFindsIt()
    {
        _there.Tell(new DirectoryProtocol.Find(s_first), TestActor);
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, [s_firstGid]));
        Assert.Equal(5, FishForMessage<DirectoryProtocol.Found>(_ => true, TimeSpan.FromSeconds(15)).Peer);
    }

    [Fact]
    public void WhoLooksForAnAddressThatNobodyHasIsToldWithinABound()
    {
        _there.Tell(new DirectoryProtocol.Find(s_first), TestActor);
        Assert.Equal(s_first, ExpectMsg<DirectoryProtocol.NotFound>(TimeSpan.FromSeconds(15)).Address);
    }

    [Fact]
    public void AContainerIsToldWhichAddressesAreItsOwn()
    {
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, [s_firstGid, s_secondGid]), TestActor);
        Assert.Equal([s_firstGid, s_secondGid], ExpectMsg<DirectoryProtocol.Granted>(TimeSpan.FromSeconds(5)).Addresses);
    }

    [Fact]
    public void OfTwoContainersWithOneAddressTheFirstHasIt()
    {
        var (first, second) = (CreateTestProbe(), CreateTestProbe());
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, [s_firstGid]), first);
        Assert.Equal([s_firstGid], first.ExpectMsg<DirectoryProtocol.Granted>(TimeSpan.FromSeconds(5)).Addresses);
        _here.Tell(new DirectoryProtocol.Claim("two", Tenant.Default, [s_firstGid, s_secondGid]), second);
        Assert.Equal([s_secondGid], second.ExpectMsg<DirectoryProtocol.Granted>(TimeSpan.FromSeconds(5)).Addresses);
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, []), first);
        Assert.Equal([s_firstGid, s_secondGid], second.ExpectMsg<DirectoryProtocol.Granted>(TimeSpan.FromSeconds(5)).Addresses);
    }

    [Fact]
    public void AContainerThatWasThereBeforeDoesNotTakeALaterOnesAddress()
    {
        var (old, young) = (CreateTestProbe(), CreateTestProbe());
        _here.Tell(new DirectoryProtocol.Claim("old", Tenant.Default, [s_secondGid]), old);
        old.ExpectMsg<DirectoryProtocol.Granted>(TimeSpan.FromSeconds(5));
        _here.Tell(new DirectoryProtocol.Claim("young", Tenant.Default, [s_firstGid]), young);
        young.ExpectMsg<DirectoryProtocol.Granted>(TimeSpan.FromSeconds(5));
        _here.Tell(new DirectoryProtocol.Claim("old", Tenant.Default, [s_firstGid, s_secondGid]), old);
        Assert.Equal([s_secondGid], old.ExpectMsg<DirectoryProtocol.Granted>(TimeSpan.FromSeconds(5)).Addresses);
        young.ExpectNoMsg(TimeSpan.FromMilliseconds(300));
    }

    [Fact]
    public void TwoTenantsMayHaveTheSameAddress()
    {
        var (first, second) = (CreateTestProbe(), CreateTestProbe());
        var blue = new Tenant("blue");
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, [s_firstGid]), first);
        _there.Tell(new DirectoryProtocol.Claim("two", blue, [s_firstGid]), second);
        Assert.Equal([s_firstGid], first.ExpectMsg<DirectoryProtocol.Granted>(TimeSpan.FromSeconds(5)).Addresses);
        Assert.Equal([s_firstGid], second.ExpectMsg<DirectoryProtocol.Granted>(TimeSpan.FromSeconds(5)).Addresses);
        AwaitCondition(() => _hereBook.PeerOf(TenantAddress.Of(blue, s_firstGid)) == 3, TimeSpan.FromSeconds(10), s_interval);
        AwaitCondition(() => _thereBook.PeerOf(s_first) == 5, TimeSpan.FromSeconds(10), s_interval);
    }

    [Fact]
    public void TheAddressOfAMemberThatIsRemovedGoesToWhoWaitsForIt()
    {
        _there.Tell(new DirectoryProtocol.Claim("two", Tenant.Default, [s_firstGid, s_secondGid]));
        AwaitCondition(() => _hereBook.PeerOf(s_second) == 3, TimeSpan.FromSeconds(10), s_interval);
        var waiting = CreateTestProbe();
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, [s_firstGid]), waiting);
        Assert.Empty(waiting.ExpectMsg<DirectoryProtocol.Granted>(TimeSpan.FromSeconds(5)).Addresses);
        var there = Cluster.Get(_other);
        there.Leave(there.SelfAddress);
        Assert.Equal([s_firstGid], waiting.ExpectMsg<DirectoryProtocol.Granted>(TimeSpan.FromSeconds(60)).Addresses);
        Assert.Equal([s_first], _hereBook.Owners.Keys);
    }

    [Fact]
    public void AMemberThatJoinsLearnsOfAllAddressesHoweverManyThereAre()
    {
        for (var container = 0; container < Containers; container++)
        {
            var addresses = Enumerable.Range(0, AddressesOfEach).Select(number => Gid.FromAddress(new IPAddress([10, 1, (byte)container, (byte)number]))).ToList();
            (container % 2 == 0 ? _here : _there).Tell(new DirectoryProtocol.Claim($"container-{container}", Tenant.Default, addresses));
        }

        using var third = Third(s_config);
        AwaitCondition(
            () => new[] { _hereBook, _thereBook, third.Book }.All(book => book.Owners.Count == Containers * AddressesOfEach), TimeSpan.FromSeconds(60), s_interval);
    }

    [Fact]
    public void AMemberThatSpeaksAnotherVersionIsNotListenedTo()
    {
        using var third = Third(ConfigurationFactory.ParseString("akka.cluster.roles = [\"freeflow-wire-9\"]").WithFallback(s_config));
        third.Directory.Tell(new DirectoryProtocol.Claim("three", Tenant.Default, [s_firstGid]));
        _there.Tell(new DirectoryProtocol.Claim("two", Tenant.Default, [s_secondGid]));
        AwaitCondition(() => third.Book.Owners.ContainsKey(s_first) && _hereBook.Owners.ContainsKey(s_second), TimeSpan.FromSeconds(30), s_interval);

        // The page is with this member's replicator, which tells its subscribers of it before it tells them of the next claim.
        var pages = CreateTestProbe();
        var replicator = DistributedData.Get(Sys).Replicator;
        replicator.Tell(Dsl.Subscribe(new PageKey(Cluster.Get(third.System).SelfAddress.ToString(), 0), pages));
        pages.ExpectMsg<Changed>(TimeSpan.FromSeconds(10));
        _there.Tell(new DirectoryProtocol.Claim("two", Tenant.Default, [s_secondGid, s_thirdGid]));
        AwaitCondition(() => _hereBook.Owners.ContainsKey(s_third), TimeSpan.FromSeconds(10), s_interval);
        Assert.Equal(new HashSet<TenantAddress> { s_second, s_third }, _hereBook.Owners.Keys.ToHashSet());

        // Nobody has it for the others, so that it is free there.
        var claiming = CreateTestProbe();
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, [s_firstGid]), claiming);
        Assert.Equal([s_firstGid], claiming.ExpectMsg<DirectoryProtocol.Granted>(TimeSpan.FromSeconds(5)).Addresses);
    }

    private Joined Third(Config config)
    {
        var system = ActorSystem.Create("test", config);
        Cluster.Get(system).Join(Cluster.Get(Sys).SelfAddress);
        AwaitCondition(() => Cluster.Get(Sys).State.Members.Count(IsUp) == 3 && Cluster.Get(system).State.Members.Count(IsUp) == 3, TimeSpan.FromSeconds(60), s_interval);
        var book = new AddressBook();
        return new Joined(system, book, system.ActorOf(DirectoryActor.Props(book)));
    }

    private sealed record Joined(ActorSystem System, AddressBook Book, IActorRef Directory) : IDisposable
    {
        public void Dispose() => System.Terminate().Wait(WaitFor.Scaled(TimeSpan.FromSeconds(10)));
    }

    private static bool IsUp(Member member) => member.Status == MemberStatus.Up;
}
