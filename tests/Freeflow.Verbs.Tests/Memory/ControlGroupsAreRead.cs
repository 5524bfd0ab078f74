using Freeflow.Verbs.Memory;

namespace Freeflow.Verbs.Tests.Memory;

public sealed class ControlGroupsAreRead : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("freeflow-groups");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void OfTheSecondVersionByTheirPath()
    {
        Write("pods/one", ("memory.max", "1000\n"), ("memory.current", "700\n"), ("memory.stat", "anon 1\ninactive_file 200\nfile 3\n"));
        Assert.Equal((1000, 500), ControlGroup.Find("0::/pods/one\n", _root.FullName)?.Read());
    }

    [Fact]
    public void OfTheSecondVersionInANamespaceOfTheirOwn()
    {
        Write("", ("memory.max", "1000\n"), ("memory.current", "700\n"), ("memory.stat", ""));
        Assert.Equal((1000, 700), ControlGroup.Find("0::/pods/one\n", _root.FullName)?.Read());
    }

    [Fact]
    public void OfTheFirstVersion()
    {
        Write("memory/pods", ("memory.limit_in_bytes", "1000\n"), ("memory.usage_in_bytes", "700\n"), ("memory.stat", "inactive_file 1\ntotal_inactive_file 200\n"));
        Assert.Equal((1000, 500), ControlGroup.Find("9:pids:/pods\n8:cpu,memory:/pods\n0::/\n", _root.FullName)?.Read());
    }

    [Theory]
    [InlineData("max\n")]
    [InlineData("9223372036854771712\n")]
    [InlineData("")]
    public void WithoutABoundTheyHaveNone(string limit)
    {
        Write("", ("memory.max", limit), ("memory.current", "700\n"), ("memory.stat", ""));
        Assert.Null(ControlGroup.Find("0::/\n", _root.FullName)!.Read());
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense\n::\n")]
    [InlineData("0::/\n")]
    public void WhoIsInNoneHasNone(string membership) => Assert.Null(ControlGroup.Find(membership, _root.FullName));

    private void Write(string group, params (string Name, string Text)[] files)
    {
        var directory = _root.CreateSubdirectory(group.Length == 0 ? "." : group);
        foreach (var (name, text) in files)
            File.WriteAllText(Path.Combine(directory.FullName, name), text);
    }
}
