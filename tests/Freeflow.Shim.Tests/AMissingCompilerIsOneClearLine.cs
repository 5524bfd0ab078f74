using Freeflow.Lab;

namespace Freeflow.Shim.Tests;

public sealed class AMissingCompilerIsOneClearLine
{
    [Fact]
    public void ThatNamesItAndWhatToInstall()
    {
        var project = Path.Combine(LabPaths.Find().Repository, "Freeflow.Shim/Freeflow.Shim.csproj");
        var output = Directory.CreateTempSubdirectory("freeflow-build");
        try
        {
            var result = Shell.Run(
                TimeSpan.FromMinutes(2), null,
                "dotnet", "build", project, "-nologo", "-v", "q", "-nodeReuse:false", "-p:ShimCompiler=no-such-compiler", $"-p:ArtifactsPath={output.FullName}");
            Assert.NotEqual(0, result.ExitCode);
            var errors = result.Output.Split('\n').Where(line => line.Contains("error")).Select(line => line.Trim()).Distinct().ToList();
            Assert.Contains("no-such-compiler is missing", Assert.Single(errors));
        }
        finally
        {
            output.Delete(recursive: true);
        }
    }
}
