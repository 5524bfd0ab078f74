using System.Net;
using Freeflow.Actors.Seeds;

namespace Freeflow.Actors.Tests.Seeds;

public sealed class LastMembersAreKept : IDisposable
{
    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("freeflow-members-");

    private string File => Path.Combine(_directory.FullName, "router.members");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task ForTheNextStart()
    {
        IPEndPoint[] members = [new(IPAddress.Parse("192.168.50.2"), 4480), new(IPAddress.Parse("fd00::3"), 4490)];
        var before = new LastMembers(File);
        Assert.Empty(before.AtStart);
        await before.KeepAsync(members);
        Assert.Empty(before.AtStart);
        Assert.Equal(members, new LastMembers(File).AtStart);
        Assert.Equal([File], System.IO.Directory.GetFiles(_directory.FullName));
    }

    [Fact]
    public async Task WithoutThoseOfTheTimeBefore()
    {
        await new LastMembers(File).KeepAsync([new(IPAddress.Parse("192.168.50.2"), 4480)]);
        await new LastMembers(File).KeepAsync([]);
        Assert.Empty(new LastMembers(File).AtStart);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("192.168.50.2:4480", 1)]
    [InlineData("192.168.50.2:4480\r\n\r\n192.168.50.2:4480\n", 1)]
    [InlineData("192.168.50.2\n192.168.50.3:0\nh2:4480\n:\n192.168.50.4:99999\n192.168.50.5:4480\n", 1)]
    public void ButNothingThatIsNone(string text, int members)
    {
        System.IO.File.WriteAllText(File, text);
        Assert.Equal(members, new LastMembers(File).AtStart.Count);
    }

    [Fact]
    public void AndNoMoreThanAClusterHas()
    {
        System.IO.File.WriteAllLines(File, Enumerable.Range(0, 300_000).Select(number => $"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}:4480"));
        Assert.InRange(new LastMembers(File).AtStart.Count, 1, 4096);
    }

    [Fact]
    public async Task UnlessTheFileCannotBeWritten()
    {
        var nowhere = new LastMembers(Path.Combine(_directory.FullName, "none", "router.members"));
        Assert.Empty(nowhere.AtStart);
        await Assert.ThrowsAnyAsync<IOException>(() => nowhere.KeepAsync([]));
    }
}
