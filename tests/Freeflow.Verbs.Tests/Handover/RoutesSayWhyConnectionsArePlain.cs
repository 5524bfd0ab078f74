using Freeflow.Verbs.Handover;
using Freeflow.Verbs.Testbed.Handover;
using Microsoft.Extensions.Time.Testing;

namespace Freeflow.Verbs.Tests.Handover;

public sealed class RoutesSayWhyConnectionsArePlain : PairTest
{
    private const int Port = 80;
    private const int NeverPort = 81;
    private const string Never = "10.244.2.200";

    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(4);

    private readonly FakeTimeProvider _clock = new();
    private HandoverServer _server = null!;

    protected override HandoverOptions AdjustClient(HandoverOptions options) => options with
    {
        Never = new HashSet<Destination> { new(Addresses.Of(HandoverPair.ServerAddress), NeverPort), new(Addresses.Of(Never), 0) },
        SilenceTimeout = s_silence,
        Time = _clock,
    };

    /// <summary>A router says that an address of its has a listener; the route there.</summary>
    private uint Speak(PlayedRouter router, string address)
    {
        Pair.ClientSite.Learn(address, router.Number);
        router.Hello();
        router.ListenerUp(address, Port);
        return Application.Resolve(address, Port);
    }

    private uint Accelerated()
    {
        _server = Pair.Listen(Port);
        return Pair.Route(Port);
    }

    [Fact]
    public void NobodyHasTheAddress()
    {
        var route = Application.Resolve("10.244.9.9", Port);
        Assert.Equal(PlainReason.NoOwner, Application.Word(route).Reason);
        Assert.Equal(1u, Application.Word(route).Verdict);
        Pair.ClientSite.Learn("10.244.9.9", Pair.ServerNumber);
        Application.Await(route, PlainReason.NoListener);
    }

    [Fact]
    public void ItIsTheContainersOwn()
    {
        using var own = new HandoverServer(Pair.ClientSite, Pair.Client, Port).Wait();
        Assert.Equal(PlainReason.OwnAddress, Application.Word(Application.Resolve(HandoverPair.ClientAddress, Port)).Reason);
    }

    [Fact]
    public void TheSourceIsNotTheContainers()
    {
        _ = Accelerated();
        var route = Application.Resolve(HandoverPair.ServerAddress, Port, source: "10.244.1.99");
        Assert.Equal(PlainReason.Source, Application.Word(route).Reason);
        Pair.ClientSite.SetAddresses(Pair.Client, HandoverPair.ClientAddress, "10.244.1.99");
        Application.Await(route, PlainReason.None);
        Pair.ClientSite.SetAddresses(Pair.Client);
        Application.Await(route, PlainReason.Source);
    }

    [Fact]
    public void TheAddressThatItBindsIsNotTheContainers()
    {
        using var lot = Application.Want(Accelerated(), NoteFlags.Bound, "10.244.1.99", 1234);
        Assert.Equal((PlainReason.Source, NoteFlags.Bound), (lot.Reason, lot.Message.Flags));
    }

    [Fact]
    public void TheContainerIsPrivileged()
    {
        var route = Accelerated();
        Pair.ClientSite.Loop.Distrust(Pair.Client);
        Application.Await(route, PlainReason.Privileged);
        Assert.Equal(PlainReason.Privileged, Application.Refusal(route));
        using var later = new HandoverApplication(Pair.ClientSite, Pair.Client);
        Assert.Equal(PlainReason.Privileged, later.Word(later.Resolve(HandoverPair.ServerAddress, Port)).Reason);
    }

    [Theory]
    [InlineData(HandoverPair.ServerAddress, NeverPort)]
    [InlineData(Never, 1)]
    [InlineData(Never, 65535)]
    public void TheOperatorHasListedIt(string address, int port) =>
        Assert.Equal(PlainReason.Configured, Application.Word(Application.Resolve(address, port)).Reason);

    [Fact]
    public void ThePolicySaysSo()
    {
        var route = Accelerated();
        Pair.ClientSite.Policy = (_, _, port) => port != Port;
        Pair.ClientSite.Loop.LookAgain();
        Application.Await(route, PlainReason.Policy);
        Assert.Equal(PlainReason.Policy, Application.Refusal(route));
    }

    [Fact]
    public void TheLinkIsLost()
    {
        var route = Accelerated();
        Pair.ServerSite.Loop.RemovePeer(Pair.ClientNumber);
        Application.Await(route, PlainReason.Unreachable);
        Pair.ClientSite.Await($"link down {Pair.ServerNumber}: closed by the peer");
    }

    [Fact]
    public async Task TheOtherRouterIsSilent()
    {
        using var silent = await PlayedRouter.StartAsync(Pair.ClientSite);
        using var other = await PlayedRouter.StartAsync(Pair.ClientSite);
        var (toSilent, toOther) = (Speak(silent, "10.244.3.1"), Speak(other, "10.244.4.1"));
        Application.Await(toSilent, PlainReason.None);
        _clock.Advance(s_silence);
        Application.Await(Speak(other, "10.244.4.2"), PlainReason.None);
        _clock.Advance(s_silence / 2);
        Application.Await(toSilent, PlainReason.Unreachable);
        Pair.ClientSite.Await($"link down {silent.Number}: it has said nothing for {s_silence.TotalSeconds} s");
        Assert.Equal(PlainReason.None, Application.Word(toOther).Reason);
    }

    [Fact]
    public void TheOtherRouterHasLeft()
    {
        var route = Accelerated();
        Pair.ClientSite.Loop.RemovePeer(Pair.ServerNumber);
        Application.Await(route, PlainReason.Unreachable);
    }

    [Fact]
    public async Task UntilThereIsALinkAgain()
    {
        var route = Accelerated();
        Pair.ServerSite.Loop.RemovePeer(Pair.ClientNumber);
        Application.Await(route, PlainReason.Unreachable);
        await HandoverSite.LinkAsync(Pair.ClientSite, Pair.ServerSite);
        Application.Await(route, PlainReason.None);
    }

    [Fact]
    public void TheUnderlayIsIPv6()
    {
        using var site = new HandoverSite(options => options with { HostAddress = null });
        using var application = new HandoverApplication(site, site.AddContainer(HandoverPair.ClientAddress));
        using var server = new HandoverServer(site, site.AddContainer("10.244.1.12"), Port).Wait();
        var route = application.Resolve("10.244.1.12", Port);
        application.Await(route, PlainReason.Underlay);
        Assert.Equal(PlainReason.Underlay, application.Refusal(route));
    }

    [Fact]
    public void FirstLooksAreCounted()
    {
        Application.Resolve("10.244.9.9", Port);
        Application.Resolve("10.244.9.9", Port + 1);
        Application.Resolve(Never, Port);
        Assert.Equal((2, 1), (AtClient.Plain[nameof(PlainReason.NoOwner)], AtClient.Plain[nameof(PlainReason.Configured)]));
    }
}
