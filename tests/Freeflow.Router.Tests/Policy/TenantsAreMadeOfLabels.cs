using System.Net;
using Freeflow.Actors.Policy;
using Freeflow.Router.Control;
using Freeflow.Router.Policy;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Policy;

namespace Freeflow.Router.Tests.Policy;

public sealed class TenantsAreMadeOfLabels
{
    private const string Tenants = """
        tenants {
          database { labels = ["namespace=shop", "app=db"] }
          shop { labels = "namespace=shop" }
          lab { labels = ["namespace=lab"], addresses = ["10.244.9.0/24"] }
        }
        """;

    [Theory]
    [InlineData("10.244.1.1", "shop")]
    [InlineData("10.244.1.2", "database")]
    [InlineData("10.244.1.3", "default")] // app=db in a namespace of nobody's
    [InlineData("10.244.1.4", "default")] // has no labels
    [InlineData("10.244.1.5", "default")] // nobody has heard of it
    [InlineData("10.244.9.1", "lab")]     // written addresses come before labels
    [InlineData("fd00::7", "lab")]
    public void ForThoseThatHaveThemAll(string address, string tenant)
    {
        var policy = Read("""
            # kept by the orchestrator
            10.244.1.1 namespace=shop app=web empty=
            10.244.1.2  app=db   namespace=shop  # both

            10.244.1.3 namespace=other app=db
            10.244.1.4
            10.244.9.1 namespace=shop
            fd00::7 namespace=lab
            """);
        Assert.Equal(tenant, TenantOf(policy, address));
        Assert.False(policy.IsOpen);
    }

    [Fact]
    public void AndRulesHoldBetweenThem()
    {
        var policy = PolicyReader.Read($"{Tenants}\nallow = [ {{ from = shop, to = database, ports = 5432 }} ]", LabelFile.Read("10.244.1.1 namespace=shop\n10.244.1.2 namespace=shop app=db"));
        Assert.True(policy.Decide(Tenant.Default.Key, Address("10.244.1.1"), Address("10.244.1.2"), 5432, PolicyMode.Tcp).Allowed);
        Assert.False(policy.Decide(Tenant.Default.Key, Address("10.244.1.1"), Address("10.244.1.2"), 5433, PolicyMode.Tcp).Allowed);
        Assert.False(policy.Decide(Tenant.Default.Key, Address("10.244.1.3"), Address("10.244.1.2"), 5432, PolicyMode.Tcp).Allowed);
    }

    [Fact]
    public void AndTheFirstOfSeveralIsTakenAndTold()
    {
        var policy = Read("10.244.1.2 namespace=shop app=db\n10.244.1.1 namespace=shop");
        Assert.Equal(new AmbiguousAddress(Address("10.244.1.2"), "database", "shop"), Assert.Single(policy.Ambiguous));
        var shown = PolicyAnswer.Of(policy, "file", DateTime.UnixEpoch, "file", null);
        Assert.Equal([1, 1, 0], shown.Tenants.Select(entry => entry.LabelledAddresses));
        Assert.Equal(["namespace=shop", "app=db"], shown.Tenants[0].Labels);
    }

    /// <summary>Labels may be named by whoever may name containers: they are compared, letter by letter, and nothing else.</summary>
    [Theory]
    [InlineData("10.244.1.1 namespace=<script>alert(1)</script>")]
    [InlineData("10.244.1.1 name=\u001b[2Jshop")]
    [InlineData("10.244.1.1 namespace=\ufffd\ud800shop")]
    [InlineData("10.244.1.1 namespace=Shop namespace=shop2 a=namespace=shop")]
    [InlineData("10.244.1.1 x=# namespace=lab#namespace=shop")]
    [InlineData("10.244.1.1 name=value # namespace=shop")]
    public void WhateverOthersAreCalled(string line) => Assert.Equal("default", TenantOf(Read(line), "10.244.1.1"));

    [Fact]
    public void HoweverLongTheyAre() =>
        Assert.Equal("shop", TenantOf(Read($"10.244.1.1 {new string('x', 1_000_000)}={new string('y', 1_000_000)} namespace=shop"), "10.244.1.1"));

    [Theory]
    [InlineData("10.244.1.1 a=b\nshop a=b", "line 2, column 1: \"shop\" is no address")]
    [InlineData("10.244.1.1 a=b shop", "line 1, column 16: \"shop\" is no label")]
    [InlineData("10.244.1.1 =b", "line 1, column 12: \"=b\" is no label")]
    [InlineData("10.244.1.1 a=b\n  10.244.1.1 a=c", "line 2, column 3: \"10.244.1.1\" is given twice")]
    [InlineData("10 a=b", "line 1, column 1: \"10\" is no address")]
    [InlineData("10.244.1.0/24 a=b", "line 1, column 1: \"10.244.1.0/24\" is no address")]
    [InlineData("\u001b[2J", "line 1, column 1: \"\\x1b[2J\" is no address")]
    public void AWrongFileIsRefusedWithItsPlace(string text, string problem) =>
        Assert.StartsWith(problem, Assert.Throws<PolicyException>(() => LabelFile.Read(text)).Message);

    [Fact]
    public void AWordThatIsWrongIsNotShownToItsEnd() =>
        Assert.InRange(Assert.Throws<PolicyException>(() => LabelFile.Read(new string('x', 1_000_000))).Message.Length, 1, 300);

    private static AccessPolicy Read(string labels) => PolicyReader.Read(Tenants, LabelFile.Read(labels));

    private static string TenantOf(AccessPolicy policy, string address) => policy.TenantOf(Tenant.Default.Key, Address(address));

    private static Gid Address(string text) => Gid.FromAddress(IPAddress.Parse(text));
}
