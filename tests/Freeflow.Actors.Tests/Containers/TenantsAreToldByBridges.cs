using System.Net;
using System.Net.NetworkInformation;
using Freeflow.Actors.Containers;
using Freeflow.Verbs.Containers;

namespace Freeflow.Actors.Tests.Containers;

public sealed class TenantsAreToldByBridges
{
    private static readonly Tenant s_blue = new("blue");
    private static readonly Tenant s_green = new("green");
    private static readonly TenantRules s_rules = new(new Dictionary<string, Tenant> { ["br-blue"] = s_blue, ["br-green"] = s_green });

    [Fact]
    public void ThatAContainersInterfaceIsAttachedTo()
    {
        Assert.Equal(s_blue, Judge(new() { [5] = "br-blue" }, Address("10.244.1.11", 5)));
        Assert.Equal(s_green, Judge(new() { [5] = "br-green" }, Address("10.244.1.11", 5)));
    }

    [Fact]
    public void TheRestAreTheDefaultTenants()
    {
        Assert.Equal(Tenant.Default, Judge(new() { [5] = "cni0" }, Address("10.244.1.11", 5)));
        Assert.Equal(Tenant.Default, Judge([], Address("10.244.1.11", 5)));
        Assert.Equal(Tenant.Default, Judge(new() { [5] = "br-blue" }));
    }

    [Fact]
    public void AnInterfaceWithoutAnAddressDoesNotCount() => Assert.Equal(Tenant.Default, Judge(new() { [6] = "br-blue" }, Address("10.244.1.11", 5)));

    [Fact]
    public void OfSeveralTheFirstAddressesCounts()
    {
        var bridges = new Dictionary<int, string> { [5] = "cni0", [6] = "br-green", [7] = "br-blue" };
        Assert.Equal(s_green, Judge(bridges, Address("10.244.1.11", 5), Address("10.1.1.1", 6), Address("10.2.2.2", 7)));
        Assert.Equal(s_blue, Judge(bridges, Address("10.2.2.2", 7), Address("10.1.1.1", 6)));
    }

    [Fact]
    public void WithoutRulesNobodyLooks()
    {
        using var own = NetworkNamespace.Own();
        Assert.Equal(Tenant.Default, TenantRules.None.TenantOf(own, [Address("10.244.1.11", 5)]));
    }

    [Fact]
    public void AndHaveTheirNamesKeys()
    {
        Assert.Equal(new Tenant("blue").Key, s_blue.Key);
        Assert.Equal(3, new[] { s_blue.Key, s_green.Key, Tenant.Default.Key }.Distinct().Count());
    }

    private static Tenant Judge(Dictionary<int, string> bridges, params InterfaceAddress[] addresses) => s_rules.TenantOf(bridges, addresses);

    private static InterfaceAddress Address(string address, int index) =>
        new(IPAddress.Parse(address), 24, $"eth{index}", index, true, 1450, PhysicalAddress.None);
}
