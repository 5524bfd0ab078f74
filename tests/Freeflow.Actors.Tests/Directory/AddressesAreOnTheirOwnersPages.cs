using System.Net;
using Freeflow.Actors.Directory;
using Freeflow.Verbs.Abi;
using Freeflow.Verbs.Containers;
using AddressTable = Freeflow.Actors.Directory.AddressTable;

namespace Freeflow.Actors.Tests.Directory;

/// <summary>The table of addresses, told of members and pages in every order.</summary>
public sealed class AddressesAreOnTheirOwnersPages
{
    private const string Here = "akka.tcp://freeflow@192.168.50.1:4480";
    private const string There = "akka.tcp://freeflow@192.168.50.2:4480";
    private const string Elsewhere = "akka.tcp://freeflow@192.168.50.3:4480";
    private const int Many = 2000;

    private static readonly TenantAddress s_first = AddressOf(1);
    private static readonly TenantAddress s_second = AddressOf(2);

    private readonly AddressBook _book = new();
    private readonly AddressTable _table;
    private readonly List<TenantAddress> _changed = [];

    public AddressesAreOnTheirOwnersPages()
    {
        _table = new AddressTable(_book, Here + "#1");
        Assert.Equal([Key(There, 0)], _table.Join(There + "#2", There));
    }

    [Fact]
    public void OneWhoseOwnerIsAMemberIsFound()
    {
        Take(There, "#2", 0, 1, (s_first, 10));
        Assert.Equal(There + "#2", _book.OwnerOf(s_first));
        Assert.Equal([s_first], _changed);
    }

    [Fact]
    public void WhatAnEarlierIncarnationWroteIsNobodys()
    {
        Take(There, "#1", 0, 1, (s_first, 10));
        Assert.Null(_book.OwnerOf(s_first));
    }

    [Fact]
    public void WhoIsNoMemberHasNone()
    {
        Take(Elsewhere, "#3", 0, 1, (s_first, 10));
        Assert.Null(_book.OwnerOf(s_first));
    }

    [Fact]
    public void NobodyWritesAnothersPage()
    {
        _table.Join(Elsewhere + "#3", Elsewhere);
        Take(There, Elsewhere + "#3", 0, 1, (s_first, 10));
        Assert.Null(_book.OwnerOf(s_first));
    }

    [Fact]
    public void OneThatIsOnItsPageNoMoreIsForgotten()
    {
        Take(There, "#2", 0, 1, (s_first, 10), (s_second, 11));
        _changed.Clear();
        Take(There, "#2", 0, 1, (s_second, 11));
        Assert.Null(_book.OwnerOf(s_first));
        Assert.Equal(There + "#2", _book.OwnerOf(s_second));
        Assert.Equal([s_first], _changed);
    }

    [Fact]
    public void OneThatMovesToAnotherPageStays()
    {
        Assert.Equal([Key(There, 1)], Take(There, "#2", 0, 2));
        Take(There, "#2", 1, 2, (s_first, 10));
        Take(There, "#2", 0, 2, (s_first, 20));
        Take(There, "#2", 1, 2);
        Assert.Equal(There + "#2", _book.OwnerOf(s_first));
    }

    [Fact]
    public void AllOfAMemberThatIsRemovedAreForgotten()
    {
        Take(There, "#2", 0, 2, (s_first, 10));
        Take(There, "#2", 1, 2, (s_second, 10));
        _changed.Clear();
        Assert.Equal([Key(There, 0), Key(There, 1)], _table.Leave(There + "#2", There, _changed));
        Assert.Empty(_book.Owners);
        Assert.Equal([s_first, s_second], _changed);
    }

    [Fact]
    public void OneThatComesBackBeforeItWasSeenToGoIsAnother()
    {
        Take(There, "#2", 0, 2, (s_first, 10));
        Take(There, "#2", 1, 2, (s_second, 10));
        Assert.Equal([Key(There, 0)], _table.Join(There + "#9", There));
        Take(There, "#9", 0, 1, (s_first, 20));
        Assert.Empty(_table.Leave(There + "#2", There, _changed));
        Assert.Equal(There + "#9", _book.OwnerOf(s_first));
        Assert.Null(_book.OwnerOf(s_second));
    }

    [Fact]
    public void APageThatIsNotFollowedIsNotTaken()
    {
        Assert.Empty(Take(There, "#2", 1, 2, (s_first, 10)));
        Assert.Null(_book.OwnerOf(s_first));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void OfTwoWhoClaimOneTheFirstHasItWhoeverIsHeardOfFirst(bool isLaterHeardFirst)
    {
        _table.Join(Elsewhere + "#3", Elsewhere);
        if (isLaterHeardFirst)
            Take(Elsewhere, "#3", 0, 1, (s_first, 20));
        Take(There, "#2", 0, 1, (s_first, 10));
        Take(Elsewhere, "#3", 0, 1, (s_first, 20));
        Assert.Equal(There + "#2", _book.OwnerOf(s_first));
        Take(There, "#2", 0, 1);
        Assert.Equal(Elsewhere + "#3", _book.OwnerOf(s_first));
    }

    [Fact]
    public void OneThatIsClaimedHereLaterThanThereIsTheirs()
    {
        _table.Claim(new PageEntry(s_first, 20));
        Take(There, "#2", 0, 1, (s_first, 10));
        Assert.Equal(There + "#2", _book.OwnerOf(s_first));
        Assert.Equal([s_first], _changed);
        _table.Withdraw(s_first);
        Assert.Equal(There + "#2", _book.OwnerOf(s_first));
    }

    [Fact]
    public void OneThatIsClaimedHereFirstIsOwn()
    {
        _table.Claim(new PageEntry(s_first, 10));
        Take(There, "#2", 0, 1, (s_first, 20));
        Assert.Equal(Here + "#1", _book.OwnerOf(s_first));
        Assert.Empty(_changed);
    }

    [Fact]
    public void ManyAreOnManySmallPagesOfWhichOnlyThoseThatChangeAreWritten()
    {
        for (var number = 0; number < Many; number++)
            _table.Claim(new PageEntry(AddressOf(number), number));
        var pages = _table.Own.TakeChanges();
        Assert.Equal(_table.Own.Count, pages.Count);
        Assert.All(pages, page => Assert.InRange(page.Entries.Length, 1, 4096));
        Assert.Equal(Enumerable.Range(0, Many).Select(AddressOf).ToHashSet(), pages.SelectMany(page => PageEntries.Of(page.Entries)).Select(entry => entry.Address).ToHashSet());
        _table.Withdraw(AddressOf(Many - 1));
        Assert.Equal([_table.Own.Count - 1], _table.Own.TakeChanges().Select(page => page.Index));
        Assert.False(_table.Own.HasChanges);
    }

    [Fact]
    public void RoomOnAPageIsUsedAgain()
    {
        for (var number = 0; number < Many; number++)
            _table.Claim(new PageEntry(AddressOf(number), number));
        var pages = _table.Own.Count;
        for (var number = 0; number < Many; number++)
        {
            _table.Withdraw(AddressOf(number));
            _table.Claim(new PageEntry(AddressOf(Many + number), number));
        }

        Assert.Equal(pages, _table.Own.Count);
    }

    private IReadOnlyList<PageKey> Take(string address, string node, int index, int pages, params (TenantAddress Address, long Since)[] entries) => _table.Take(
        Key(address, index),
        new DirectoryPage(node.StartsWith('#') ? address + node : node, 1, pages, PageEntries.Pack([.. entries.Select(entry => new PageEntry(entry.Address, entry.Since))])),
        _changed);

    private static PageKey Key(string address, int index) => new(address, index);

    private static TenantAddress AddressOf(int number) => TenantAddress.Of(Tenant.Default, Gid.FromAddress(new IPAddress([10, 244, (byte)(number >> 8), (byte)number])));
}
