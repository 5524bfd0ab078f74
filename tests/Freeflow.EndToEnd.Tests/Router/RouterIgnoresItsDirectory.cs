namespace Freeflow.EndToEnd.Tests.Router;

/// <summary>What lies or changes in the directory that a router was started in is nothing to it: under systemd that is the root of all files.</summary>
[Trait("Tier", "All")]
public sealed class RouterIgnoresItsDirectory(LabFixture lab) : IClassFixture<LabFixture>
{
    [Fact]
    public void ItWatchesNoFiles()
    {
        var pid = lab.Hosts.Routers.PidOf("h1");
        var watched = Directory.GetFiles($"/proc/{pid}/fdinfo").SelectMany(File.ReadLines).Where(line => line.StartsWith("inotify", StringComparison.Ordinal));
        Assert.Empty(watched.Take(3));
    }

    [Fact]
    public void ItReadsNoSettingsThere()
    {
        var directory = Directory.CreateTempSubdirectory("freeflow-started-in");
        try
        {
            File.WriteAllText(Path.Combine(directory.FullName, "appsettings.json"), "{");
            var result = lab.Hosts.Exec(
                "h1", TimeSpan.FromSeconds(30), "env", "-C", directory.FullName, $"FREEFLOW_DIR={directory.FullName}", "FFR_NAME=second", "HOST_IP=192.168.50.1", "FREEFLOW_SEEDS=192.168.50.1",
                lab.Hosts.Paths.RouterProgram, "run");
            Assert.Contains("the router can't start", result.Errors);
            Assert.Contains("Address already in use", result.Errors);
            Assert.DoesNotContain("appsettings.json", result.Everything);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
