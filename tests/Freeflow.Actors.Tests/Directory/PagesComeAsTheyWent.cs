using System.Net;
using Akka.Actor;
using Freeflow.Actors.Directory;
using Freeflow.Actors.Serialization;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;

namespace Freeflow.Actors.Tests.Directory;

/// <summary>What routers write on pages, and what others may have written.</summary>
public sealed class PagesComeAsTheyWent : ActorTest
{
    private static readonly PageEntry[] s_entries =
    [
        new(TenantAddress.Of(Tenant.Default, Gid.FromAddress(IPAddress.Parse("10.244.1.11"))), 638_000_000_000_000_000),
        new(TenantAddress.Of(new Tenant("blue"), Gid.FromAddress(IPAddress.Parse("10.244.1.11"))), 1),
        new(TenantAddress.Of(new Tenant("blue"), Gid.FromAddress(IPAddress.Parse("fd00::1"))), long.MaxValue),
    ];

    private static readonly DirectoryPage s_page = new("akka.tcp://freeflow@192.168.50.1:4480#7", 3, 2, PageEntries.Pack(s_entries));

    [Fact]
    public void EntriesAreThoseThatWerePacked() => Assert.Equal(s_entries, PageEntries.Of(PageEntries.Pack(s_entries)));

    [Fact]
    public void APageIsTheSameBehindTheWire()
    {
        var serializer = new HyperionMessageSerializer((ExtendedActorSystem)Sys);
        Assert.Equal(s_page, serializer.FromBinary(serializer.ToBinary(s_page), typeof(DirectoryPage)));
    }

    [Fact]
    public void ItsHashIsTheSameInEveryProcess() => Assert.Equal(-1_126_209_175, s_page.GetHashCode());

    [Fact]
    public void OfTwoStatesAllChooseTheLater()
    {
        var later = s_page with { Version = 4, Entries = [] };
        Assert.Same(later, s_page.Merge(later));
        Assert.Same(later, later.Merge(s_page));
        Assert.Equal(s_page, s_page.Merge(s_page with { }));
    }

    [Fact]
    public void OfTwoWithOneVersionAllChooseTheSame()
    {
        foreach (var other in new[] { s_page with { Node = "akka.tcp://freeflow@192.168.50.1:4480#8" }, s_page with { Entries = [] } })
            Assert.Same(s_page.Merge(other), other.Merge(s_page));
    }

    [Theory]
    [InlineData(1, 0, true)]
    [InlineData(1, 32, true)]
    [InlineData(DirectoryPage.MaximumPages, 32 * PageEntries.PerPage, true)]
    [InlineData(0, 0, false)]
    [InlineData(-1, 0, false)]
    [InlineData(DirectoryPage.MaximumPages + 1, 0, false)]
    [InlineData(1, 31, false)]
    [InlineData(1, 33, false)]
    [InlineData(1, (32 * PageEntries.PerPage) + 32, false)]
    public void WhatNoRouterWritesIsNotSound(int pages, int bytes, bool isSound) => Assert.Equal(isSound, (s_page with { Pages = pages, Entries = new byte[bytes] }).IsSound);

    [Fact]
    public void NoBytesAreNotSound() => Assert.False((s_page with { Entries = null! }).IsSound);
}
