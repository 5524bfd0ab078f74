using System.Net;
using Freeflow.Actors.Directory;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;

namespace Freeflow.Actors.Tests.Directory;

public sealed class KeysNameTenantAndAddress
{
    [Theory]
    [InlineData("default", "10.244.1.11", "default/10.244.1.11")]
    [InlineData("blue", "10.244.1.11", "blue/10.244.1.11")]
    [InlineData("a.b-c_d", "fd00::1", "a.b-c_d/fd00::1")]
    public void AndComeBackAsTheyWere(string tenant, string address, string key)
    {
        var gid = Gid.FromAddress(IPAddress.Parse(address));
        Assert.Equal(key, DirectoryKey.Of(new Tenant(tenant), gid));
        Assert.True(DirectoryKey.TryParse(key, out var parsed));
        Assert.Equal(TenantAddress.Of(new Tenant(tenant), gid), parsed);
    }

    [Fact]
    public void WhichAreOthersForEachTenant()
    {
        var gid = Gid.FromAddress(IPAddress.Parse("10.244.1.11"));
        Assert.NotEqual(DirectoryKey.Of(new Tenant("blue"), gid), DirectoryKey.Of(new Tenant("green"), gid));
        Assert.NotEqual(TenantAddress.Of(new Tenant("blue"), gid), TenantAddress.Of(new Tenant("green"), gid));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/10.244.1.11")]
    [InlineData("blue/")]
    [InlineData("blue")]
    [InlineData("10.244.1.11")]
    [InlineData("blue/10.244.1.256")]
    [InlineData("blue/somewhere")]
    public void WhatNoRouterWritesIsNone(string key)
    {
        Assert.False(DirectoryKey.TryParse(key, out var address));
        Assert.Equal(default, address);
    }
}
