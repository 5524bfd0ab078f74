using System.Net;
using System.Net.Sockets;
using Akka.Discovery;
using Freeflow.Actors.Seeds;

namespace Freeflow.Actors.Tests.Seeds;

public sealed class SeedsAreFound : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("192.168.50.1", "192.168.50.1:4480")]
    [InlineData("192.168.50.1:99", "192.168.50.1:99")]
    [InlineData("router-1.example", "router-1.example:4480")]
    [InlineData("fd00::1", "[fd00::1]:4480")]
    [InlineData("[fd00::1]:99", "[fd00::1]:99")]
    [InlineData("here there", null)]
    [InlineData("192.168.50.1:0", null)]
    [InlineData("192.168.50.1:65536", null)]
    [InlineData("192.168.50.1:1:2", null)]
    [InlineData(":99", null)]
    [InlineData("", null)]
    public void AsTheyAreWritten(string text, string? expected) => Assert.Equal(expected, SeedEntry.Parse(text, 4480)?.ToString());

    [Fact]
    public async Task InAFileThatChanges()
    {
        var seeds = new FiledSeeds(_file, 4480, AddressFamily.InterNetwork);
        var finder = new SeedFinder([("file", seeds)], 4480);
        File.WriteAllText(_file, "# the cluster\n\n 192.168.50.10\n192.168.50.9:99   # the first\r\nfd00::1\n");
        Assert.Equal("192.168.50.9:99, 192.168.50.10:4480 (by file)", (await finder.FindAsync()).ToString());
        File.WriteAllText(_file, "192.168.50.3\nhere there\n");
        var found = await finder.FindAsync();
        Assert.Equal("192.168.50.3:4480 (by file)", found.ToString());
        Assert.Contains("\"here there\" is no seed", Assert.Single(found.Problems));
        File.Delete(_file);
        found = await finder.FindAsync();
        Assert.Empty(found.At);
        Assert.Contains($"{_file} can't be read", Assert.Single(found.Problems));
    }

    [Fact]
    public async Task InAFileOfGarbage()
    {
        File.WriteAllBytes(_file, [.. Enumerable.Range(0, 1 << 20).Select(at => (byte)(at * 31))]);
        var found = await new SeedFinder([("file", new FiledSeeds(_file, 4480, AddressFamily.InterNetwork))], 4480).FindAsync();
        Assert.Single(found.Problems);
    }

    [Fact]
    public async Task ByNamesInAllTheirAddresses()
    {
        var seeds = new ListedSeeds([new("localhost", 1), new("192.168.50.1", 2)], AddressFamily.InterNetwork);
        Assert.Equal("127.0.0.1:1, 192.168.50.1:2 (by list)", (await new SeedFinder([("list", seeds)], 4480).FindAsync()).ToString());
    }

    [Fact]
    public async Task NotByANameThatThereIsNot()
    {
        var found = await new SeedFinder([("dns", new NamedSeeds(new("nobody.invalid", 1), AddressFamily.InterNetwork))], 4480).FindAsync();
        Assert.Empty(found.At);
        Assert.Contains("nobody.invalid has no address", Assert.Single(found.Problems));
    }

    [Fact]
    public async Task InTheOrderOfTheirNumbers()
    {
        var seeds = new ListedSeeds([.. new[] { "10.0.0.10", "10.0.0.9", "9.200.0.1", "10.0.0.9" }.Select(host => new SeedEntry(host, 1))], AddressFamily.InterNetwork);
        Assert.Equal("9.200.0.1:1, 10.0.0.9:1, 10.0.0.10:1 (by list)", (await new SeedFinder([("list", seeds)], 4480).FindAsync()).ToString());
    }

    /// <summary>Every combination of three ways that find something or nothing.</summary>
    [Fact]
    public async Task ByTheFirstWayThatFindsAny()
    {
        for (var findsSome = 0; findsSome < 8; findsSome++)
        {
            var ways = Enumerable.Range(0, 3).Select(way => ($"way{way}", (ServiceDiscovery)new Fixed((findsSome >> way & 1) != 0 ? $"10.0.0.{way}" : null))).ToList();
            var found = await new SeedFinder(ways, 4480).FindAsync();
            var first = Enumerable.Range(0, 3).Cast<int?>().FirstOrDefault(way => (findsSome >> way!.Value & 1) != 0);
            Assert.Equal(first is { } wanted ? $"10.0.0.{wanted}:4480 (by way{wanted})" : "none", found.ToString());
        }
    }

    [Fact]
    public async Task PastOneThatFails()
    {
        var found = await new SeedFinder([("broken", new Fixed("throws")), ("next", new Fixed("10.0.0.1"))], 4480).FindAsync();
        Assert.Equal("next", found.Method);
    }

    [Fact]
    public async Task InTheTablesWithThisHostAmongThem()
    {
        var found = await new SeedFinder(
            [("tables", new HostsInTables(IPNetwork.Parse("203.0.113.0/24"), new("203.0.113.5", 7), AddressFamily.InterNetwork))], 4480).FindAsync();
        Assert.Equal("203.0.113.5:7 (by tables)", found.ToString());
    }

    private sealed class Fixed(string? host) : ServiceDiscovery
    {
        public override Task<Resolved> Lookup(Lookup lookup, TimeSpan resolveTimeout) =>
            host == "throws" ? throw new InvalidOperationException() : Task.FromResult(new Resolved(lookup.ServiceName, host is null ? [] : [new ResolvedTarget(host)]));
    }
}
