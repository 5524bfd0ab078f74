using System.Net;
using Freeflow.Actors.Connections;
using Freeflow.Actors.Policy;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Policy;

namespace Freeflow.Actors.Tests.Policy;

public sealed class LimitsFollowThePolicy
{
    private readonly PolicyInForce _policy = new(AccessPolicy.Open);
    private readonly ContainerShare _one;
    private readonly ContainerShare _other;

    public LimitsFollowThePolicy()
    {
        _one = Container("10.1.0.1");
        _other = Container("10.1.0.2");
    }

    [Fact]
    public void OfAContainer()
    {
        _one.Quota.QueuePairs.Change(+3);
        _one.Quota.MemoryRegions.Change(+3);
        Assert.True(_one.Quota.QueuePairs.HasRoom && _one.Quota.MemoryRegions.HasRoom && _one.Quota.TryRegister(1 << 20));
        Put(PolicyLimits.None, new PolicyLimits { QueuePairs = 3, MemoryRegions = 4, RegisteredBytes = 3 << 20 });
        Assert.False(_one.Quota.QueuePairs.HasRoom);
        Assert.True(_other.Quota.QueuePairs.HasRoom && _one.Quota.MemoryRegions.HasRoom);
        Assert.True(_one.Quota.TryRegister(2 << 20));
        Assert.False(_one.Quota.TryRegister(1));
        Assert.Equal(3 << 20, _one.Quota.RegisteredBytes.Taken);
        Assert.True(_other.Quota.TryRegister(3 << 20));
        _one.Quota.QueuePairs.Change(-1);
        Assert.True(_one.Quota.QueuePairs.HasRoom);

        // What it has beyond a new limit it keeps; and it may be lifted.
        Put(PolicyLimits.None, new PolicyLimits { QueuePairs = 0 });
        Assert.False(_one.Quota.QueuePairs.HasRoom);
        _policy.Put(AccessPolicy.Open);
        Assert.True(_one.Quota.QueuePairs.HasRoom && _one.Quota.TryRegister(1));
    }

    [Fact]
    public void OfATenantForAllOfItsContainersTogether()
    {
        Put(new PolicyLimits { QueuePairs = 4, MemoryRegions = 2, RegisteredBytes = 4 << 20, Connections = 5 }, PolicyLimits.None);
        _one.Quota.QueuePairs.Change(+3);
        Assert.True(_other.Quota.QueuePairs.HasRoom);
        _other.Quota.QueuePairs.Change(+1);
        Assert.False(_one.Quota.QueuePairs.HasRoom || _other.Quota.QueuePairs.HasRoom);
        Assert.True(_one.Quota.TryRegister(3 << 20));
        Assert.False(_other.Quota.TryRegister(2 << 20));
        Assert.True(_other.Quota.TryRegister(1 << 20));
        _one.Quota.MemoryRegions.Change(+2);
        Assert.False(_other.Quota.MemoryRegions.HasRoom);
        var share = Assert.IsType<PolicyBounds>(_one.Quota.Bounds).Tenant;
        Assert.Equal(2, share.Members.Count);
        _one.Handover.CountFlows(+2);
        Assert.Equal(2, share.Flows);

        // One that is gone, or is another's by its addresses now, counts no more.
        _policy.Settle(_one, [Gid.FromAddress(IPAddress.Parse("10.9.0.1"))]);
        Assert.Equal("default", _one.Tenant);
        Assert.True(_other.Quota.QueuePairs.HasRoom && _other.Quota.MemoryRegions.HasRoom);
        _policy.Forget(_other);
        Assert.Empty(share.Members);
    }

    [Fact]
    public void OfHowFastItMaySend()
    {
        Put(new PolicyLimits { Bandwidth = 1000, MessagesPerSecond = 10 }, new PolicyLimits { Bandwidth = 100 });
        var rates = _one.Quota.Rates;
        Assert.Equal((100L, 0L), (rates.Own.BytesPerSecond, rates.Own.MessagesPerSecond));
        Assert.Equal((1000L, 10L), (rates.Tenant.BytesPerSecond, rates.Tenant.MessagesPerSecond));
        Assert.Same(rates.Tenant, _other.Quota.Rates.Tenant);
        _policy.Put(AccessPolicy.Open);
        Assert.Equal((0L, 0L), (rates.Own.BytesPerSecond, rates.Tenant.BytesPerSecond));
    }

    private void Put(PolicyLimits tenant, PolicyLimits container) => _policy.Put(new AccessPolicy(
        [new PolicyTenant("one", [AddressRange.Of(IPAddress.Parse("10.1.0.0"), 16)], true, tenant, container)], [], [], PolicyLimits.None));

    private ContainerShare Container(string address)
    {
        var share = new ContainerShare(new ContainerQuota(new ContainerLimits()), new HandoverContainer(address, Tenant.Default));
        _policy.Settle(share, [Gid.FromAddress(IPAddress.Parse(address))]);
        return share;
    }
}
