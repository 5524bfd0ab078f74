using System.Net;
using Freeflow.Router.Policy;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;
using Freeflow.Verbs.Engine;
using Freeflow.Verbs.Interop;
using Freeflow.Verbs.Policy;

namespace Freeflow.Router.Tests.Policy;

public sealed class PoliciesAreRead
{
    private const string Text = """
        # Two teams, a database that one of them may use, and a range of its own for one machine.
        tenants {
          red {
            addresses = ["10.244.1.0/24", "10.244.9.9"]
            limits { bandwidth = 10Gbit, queue-pairs = 4096 }
            container-limits { queue-pairs = 16, registered-bytes = 1.5g }
          }
          blue { addresses = "10.244.2.0/24", allow-within = false }
          "by.bridge" { container-limits.memory-regions = 7 }
        }
        allow = [
          { name = "to the database", from = red, to = "10.244.2.11", ports = [5432, "6000-6010"], mode = tcp }, // one line
          { from = [blue, default], to = [red]
            mode : rdma }
          { from = "10.244.2.16/28", to = 10.244.2.16/28 }
        ]
        containers = [ { addresses = ["10.244.1.12"], limits { queue-pairs = 1, bandwidth = 500kbit } } ]
        container-limits { queue-pairs = 64, messages-per-second = 1000000, connections = 10 }
        """;

    private static readonly ulong s_common = Tenant.Default.Key;
    private readonly AccessPolicy _policy = PolicyReader.Read(Text);

    [Theory]
    [InlineData("10.244.1.1", "10.244.1.2", 80, true, true)] // within red
    [InlineData("10.244.9.9", "10.244.1.2", 80, true, true)]
    [InlineData("10.244.9.8", "10.244.1.2", 80, false, true)] // default to red
    [InlineData("10.244.1.1", "10.244.2.11", 5432, true, false)]
    [InlineData("10.244.1.1", "10.244.2.11", 6010, true, false)]
    [InlineData("10.244.1.1", "10.244.2.11", 6011, false, false)]
    [InlineData("10.244.1.1", "10.244.2.12", 5432, false, false)]
    [InlineData("10.244.2.11", "10.244.1.1", 5432, false, true)] // the other way round there is rdma only
    [InlineData("10.244.2.1", "10.244.2.2", 80, false, false)] // within blue, which has allow-within = false
    [InlineData("10.244.2.17", "10.244.2.31", 80, true, true)]
    [InlineData("10.244.2.17", "10.244.2.32", 80, false, false)]
    [InlineData("10.244.7.1", "10.244.8.1", 80, true, true)] // both default
    [InlineData("fd00::1", "fd00::2", 80, true, true)]
    [InlineData("fd00::1", "10.244.2.2", 80, false, false)]
    public void TheyTellWhoMayTalk(string from, string to, int port, bool tcp, bool rdma)
    {
        Assert.Equal(tcp, _policy.Decide(s_common, Of(from), Of(to), port, PolicyMode.Tcp).Allowed);
        Assert.Equal(rdma, _policy.Decide(s_common, Of(from), Of(to), port, PolicyMode.Rdma).Allowed);
        if (Ipv4.From(IPAddress.Parse(from)) is { } source && Ipv4.From(IPAddress.Parse(to)) is { } destination)
            Assert.Equal(tcp, _policy.Allows(s_common, source, s_common, destination, (ushort)port));
    }

    [Fact]
    public void QueuePairsMayTalkWhenEitherEndMayBegin()
    {
        Assert.True(_policy.DecidePair(s_common, Of("10.244.1.1"), Of("10.244.2.1")).Allowed);
        Assert.True(_policy.AllowsPair(Port("10.244.1.1"), Of("10.244.1.1"), Of("10.244.2.1")));
        Assert.True(_policy.AllowsPair(Port("10.244.2.1"), Of("10.244.2.1"), Of("10.244.1.1")));
        Assert.False(_policy.AllowsPair(Port("10.244.2.1"), Of("10.244.2.1"), Of("10.244.2.2")));
    }

    [Fact]
    public void AContainerBelongsWithAllItsAddressesToOneTenant()
    {
        var link = Of("fe80::1");
        Assert.Equal("default", _policy.TenantOf(s_common, link));
        Assert.False(_policy.AllowsPair(Port("10.244.2.1", "fe80::1"), link, Of("fe80::2")));
        Assert.True(_policy.AllowsPair(Port("10.244.7.1", "fe80::1"), link, Of("fe80::2")));
    }

    [Fact]
    public void ATenantByBridgeHasAddressesOfItsOwn()
    {
        var own = new Tenant("elsewhere").Key;
        Assert.True(_policy.Decide(own, Of("10.244.1.1"), Of("10.244.2.2"), 80, PolicyMode.Tcp).Allowed);
        Assert.False(_policy.Allows(own, new Ipv4(1), s_common, new Ipv4(1), 80));
        Assert.Equal("by.bridge", _policy.TenantOf(new Tenant("by.bridge").Key, Of("10.244.1.1")));
        Assert.Equal(7, _policy.LimitsOf("by.bridge", []).MemoryRegions);
    }

    [Fact]
    public void TheyTellTheReason()
    {
        Assert.Equal("rule \"to the database\" (line 12)", _policy.Decide(s_common, Of("10.244.1.1"), Of("10.244.2.11"), 5432, PolicyMode.Tcp).Reason);
        Assert.Equal("rule 2 (line 13)", _policy.DecidePair(s_common, Of("10.244.1.1"), Of("10.244.2.1")).Reason);
        Assert.Equal("within tenant red", _policy.Decide(s_common, Of("10.244.1.1"), Of("10.244.1.2"), 1, PolicyMode.Tcp).Reason);
        Assert.Contains("from tenant default to tenant blue", _policy.Decide(s_common, Of("1.2.3.4"), Of("10.244.2.2"), 1, PolicyMode.Tcp).Reason);
        Assert.Contains("allow-within = false", _policy.Decide(s_common, Of("10.244.2.1"), Of("10.244.2.2"), 1, PolicyMode.Tcp).Reason);
    }

    [Fact]
    public void WhatIsSaidOfAContainerComesBeforeItsTenantsAndThatBeforeEverybodys()
    {
        Assert.Equal((1, 62_500L, 1_000_000L, 3L << 29, 10), Some(_policy.LimitsOf("red", [Of("10.244.1.12")])));
        Assert.Equal((16, null, 1_000_000L, 3L << 29, 10), Some(_policy.LimitsOf("red", [Of("10.244.1.13")])));
        Assert.Equal((64, null, 1_000_000L, null, 10), Some(_policy.LimitsOf("blue", [Of("10.244.2.13")])));
        Assert.Equal((4096, 1_250_000_000L, null, null, null), Some(_policy.LimitsOf("red")));
        Assert.True(_policy.LimitsOf("blue").AreNone);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{ }")]
    [InlineData("# nothing\n")]
    [InlineData("tenants { }, allow = []")]
    public void NothingForbidsNothing(string text) => Assert.True(PolicyReader.Read(text).IsOpen);

    private static (int?, long?, long?, long?, int?) Some(PolicyLimits limits) =>
        (limits.QueuePairs, limits.Bandwidth, limits.MessagesPerSecond, limits.RegisteredBytes, limits.Connections);

    private static EnginePort Port(params string[] addresses) => new(s_common, [.. addresses.Select(Of)], 4096);

    private static Gid Of(string address) => Gid.FromAddress(IPAddress.Parse(address));
}
