using System.Net;
using Freeflow.Actors.ConnectionManagement;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Abi.ConnectionManager;
using Freeflow.Verbs.Interop;

namespace Freeflow.Actors.Tests.ConnectionManagement;

public sealed class PortsAreTakenAsInTheKernel
{
    private readonly PortTable _ports = new();
    private uint _next;

    [Fact]
    public void APortOfNoNumberIsOneThatIsFree()
    {
        var (one, other) = (Binding("10.0.0.1", 0), Binding("10.0.0.1", 0));
        Assert.Equal(0, _ports.Bind(one));
        Assert.Equal(0, _ports.Bind(other));
        Assert.InRange(one.Address.Port, 32768, 60999);
        Assert.NotEqual(one.Address.Port, other.Address.Port);
    }

    [Fact]
    public void AnAddressTwiceIsInUse()
    {
        Assert.Equal(0, _ports.Bind(Binding("10.0.0.1", 7000)));
        Assert.Equal(Errno.EADDRINUSE, _ports.Bind(Binding("10.0.0.1", 7000)));
        Assert.Equal(0, _ports.Bind(Binding("10.0.0.2", 7000)));
        Assert.Equal(0, _ports.Bind(Binding("10.0.0.1", 7000, PortSpace.Udp)));
    }

    [Fact]
    public void AWildcardBesideAnAddressIsNotAvailable()
    {
        Assert.Equal(0, _ports.Bind(Binding("10.0.0.1", 7000)));
        Assert.Equal(Errno.EADDRNOTAVAIL, _ports.Bind(Binding("0.0.0.0", 7000)));
    }

    [Fact]
    public void WhatBothWantToShareIsSharedUntilOneListens()
    {
        var (one, other) = (Binding("10.0.0.1", 7000, reuse: true), Binding("10.0.0.1", 7000, reuse: true));
        Assert.Equal(0, _ports.Bind(one));
        Assert.Equal(0, _ports.Bind(other));
        Assert.Equal(Errno.EADDRINUSE, _ports.Listen(one));
        _ports.Release(other);
        Assert.Equal(0, _ports.Listen(one));
        Assert.Equal(Errno.EADDRINUSE, _ports.Bind(other));
    }

    [Fact]
    public void AnIdThatIsDestroyedLeavesItsPortAtOnce()
    {
        var (one, other) = (Binding("10.0.0.1", 7000), Binding("10.0.0.1", 7001));
        Assert.Equal(0, _ports.Bind(one));
        Assert.Equal(0, _ports.Bind(other));
        _ports.ReleaseOf(one.Id);
        Assert.Equal(Errno.EINVAL, _ports.Listen(one));
        Assert.Equal(0, _ports.Bind(Binding("10.0.0.1", 7000)));
        Assert.Equal(Errno.EADDRINUSE, _ports.Bind(Binding("10.0.0.1", 7001)));

        // Its actor says it once more when it ends; the next with that port keeps it.
        _ports.Release(one);
        Assert.Equal(Errno.EADDRINUSE, _ports.Bind(Binding("10.0.0.1", 7000)));
    }

    [Fact]
    public void ReleasedPortsAreFree()
    {
        var one = Binding("10.0.0.1", 7000);
        Assert.Equal(0, _ports.Bind(one));
        _ports.Release(one);
        Assert.Equal(0, _ports.Bind(Binding("10.0.0.1", 7000)));
    }

    [Fact]
    public void AListenerIsFoundAtItsAddressAndAWildcardAtEach()
    {
        var (one, all) = (Binding("10.0.0.1", 7000), Binding("0.0.0.0", 7001));
        Assert.Equal(0, _ports.Bind(one));
        Assert.Equal(0, _ports.Bind(all));
        Assert.Null(Find("10.0.0.1", 7000, out var isKnown));
        Assert.False(isKnown);
        Assert.Equal(0, _ports.Listen(one));
        Assert.Equal(0, _ports.Listen(all));
        Assert.Equal(one.Id, Find("10.0.0.1", 7000, out _));
        Assert.Equal(all.Id, Find("10.0.0.9", 7001, out _));
        Assert.Null(Find("10.0.0.2", 7000, out isKnown));
        Assert.True(isKnown);
        Assert.Null(Find("10.0.0.1", 7002, out isKnown));
        Assert.False(isKnown);
    }

    private uint? Find(string address, ushort port, out bool isKnown) => _ports.Find(((ulong)PortSpace.Tcp << 16) + port, Address(address, port), out isKnown);

    private PortTable.Binding Binding(string address, ushort port, PortSpace space = PortSpace.Tcp, bool reuse = false) =>
        new(_next++, space, Address(address, port), reuse, true);

    private static RdmaAddress Address(string address, ushort port) =>
        new(RdmaAddressFamily.Inet, Gid.FromAddress(IPAddress.Parse(address)), port, 0, 0);
}
