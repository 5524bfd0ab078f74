using Freeflow.Verbs.Engine;
using NetArchTest.Rules;

namespace Freeflow.Actors.Tests;

public sealed class TheHouseKeepsItsLayers
{
    [Fact]
    public void VerbsKnowsNoAkka() => MustNot(typeof(VerbsEngine), "Akka", "Hyperion", "Freeflow.Actors", "Freeflow.Router");

    [Fact]
    public void ActorsKnowsNoProcessAroundIt() => MustNot(typeof(RouterActor), "Freeflow.Router", "Microsoft.Extensions.Hosting");

    [Fact]
    public void OnlyVerbsMayBeUnsafe()
    {
        var root = Root();
        var unsafeProjects = System.IO.Directory.EnumerateFiles(root, "Freeflow.*.csproj", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/tests/") && File.ReadAllText(path).Contains("AllowUnsafeBlocks"))
            .Select(Path.GetFileNameWithoutExtension);
        Assert.Equal(["Freeflow.Verbs"], unsafeProjects);
    }

    private static void MustNot(Type oneOfThem, params string[] dependencies)
    {
        var result = Types.InAssembly(oneOfThem.Assembly).ShouldNot().HaveDependencyOnAny(dependencies).GetResult();
        Assert.True(result.IsSuccessful, string.Join(", ", result.FailingTypeNames ?? []));
    }

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Freeflow.sln")))
            at = at.Parent!;
        return at.FullName;
    }
}
