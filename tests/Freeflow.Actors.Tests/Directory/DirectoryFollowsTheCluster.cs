using System.Net;
using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Freeflow.Actors.Directory;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;

namespace Freeflow.Actors.Tests.Directory;

/// <summary>Two real members in this process, joined over loopback.</summary>
[Trait("Tier", "Loop")]
public sealed class DirectoryFollowsTheCluster : TestKit
{
    private static readonly Config s_config = ConfigurationFactory.ParseString("""
        akka {
          loglevel = WARNING
          actor.provider = cluster
          remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0 }
          cluster {
            gossip-interval = 100ms
            leader-actions-interval = 100ms
            distributed-data { gossip-interval = 100ms, notify-subscribers-interval = 50ms }
          }
        }
        """);

    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(20);
    private static readonly Gid s_firstGid = Gid.FromAddress(IPAddress.Parse("10.244.1.11"));
    private static readonly TenantAddress s_first = TenantAddress.Of(Tenant.Default, s_firstGid);
    private static readonly Gid s_secondGid = Gid.FromAddress(IPAddress.Parse("10.244.1.12"));
    private static readonly TenantAddress s_second = TenantAddress.Of(Tenant.Default, s_secondGid);

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
        _other.Terminate().Wait(TimeSpan.FromSeconds(10));
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
        _there.Tell(new DirectoryProtocol.Claim("two", Tenant.Default, [s_firstGid]));
        Thread.Sleep(1500);
        Assert.Equal(5, _thereBook.PeerOf(s_first));
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, []));
        AwaitCondition(() => _hereBook.PeerOf(s_first) == 3, TimeSpan.FromSeconds(10), s_interval);
    }

    [Fact]
    public void WhoLooksForAnAddressThatIsOnItsWayFindsIt()
    {
        _there.Tell(new DirectoryProtocol.Find(s_first), TestActor);
        _here.Tell(new DirectoryProtocol.Claim("one", Tenant.Default, [s_firstGid]));
        Assert.Equal(5, FishForMessage<DirectoryProtocol.Found>(_ => true, TimeSpan.FromSeconds(5)).Peer);
    }

    [Fact]
    public void WhoLooksForAnAddressThatNobodyHasIsToldWithinABound()
    {
        _there.Tell(new DirectoryProtocol.Find(s_first), TestActor);
        Assert.Equal(s_first, ExpectMsg<DirectoryProtocol.NotFound>(TimeSpan.FromSeconds(5)).Address);
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

    private static bool IsUp(Member member) => member.Status == MemberStatus.Up;
}
