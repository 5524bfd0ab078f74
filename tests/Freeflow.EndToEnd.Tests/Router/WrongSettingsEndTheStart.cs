using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Router;

/// <summary>A wrong value ends the start with one line that names the key, the value and what is accepted.</summary>
[Collection(LabFixture.Name)]
public sealed class WrongSettingsEndTheStart : IDisposable
{
    private readonly LabPaths _paths = LabPaths.Find();
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("freeflow-settings");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("freeflow.link.port=70000", "freeflow.link.port", "70000", "1 to 65535")]
    [InlineData("freeflow.link.port=abc", "freeflow.link.port", "abc", "1 to 65535")]
    [InlineData("freeflow.link.prot=1", "freeflow.link.prot", "", "no such setting")]
    [InlineData("freeflow.engine.realtime-priority=100", "freeflow.engine.realtime-priority", "100", "0 to 99")]
    [InlineData("freeflow.shim.hello-timeout=soon", "freeflow.shim.hello-timeout", "soon", "")]
    [InlineData("freeflow.limits.registered-bytes=much", "freeflow.limits.registered-bytes", "much", "")]
    [InlineData("freeflow.limits.queue-pairs=5000", "freeflow.limits.queue-pairs", "5000", "1 to 4096")]
    [InlineData("freeflow.link.congestion-control=hope", "freeflow.link.congestion-control", "hope", "cubic")]
    [InlineData("freeflow.log-level=loud", "freeflow.log-level", "loud", "debug")]
    [InlineData("freeflow.host.prefix=10.9.8.0/24", "freeflow.host.prefix", "10.9.8.0/24", "has an address")]
    [InlineData("freeflow.host.prefix=everything", "freeflow.host.prefix", "everything", "192.168.50.0/24")]
    [InlineData("freeflow.name=../../etc/x", "freeflow.name", "../../etc/x", "")]
    public void OnTheCommandLine(string setting, string key, string value, string accepted)
    {
        var line = MustRefuse(key.StartsWith("freeflow.host", StringComparison.Ordinal) ? [] : Addressed, "--set", setting);
        Assert.Contains(key, line);
        Assert.Contains(value, line);
        Assert.Contains(accepted, line);
    }

    [Theory]
    [InlineData("HOST_IP", "300.1.1.1", "freeflow.host.ip")]
    [InlineData("HOST_IP_PREFIX", "nonsense", "freeflow.host.prefix")]
    [InlineData("FFR_NAME", "a/b", "freeflow.name")]
    [InlineData("FREEFLOW_SEEDS", "here there", "freeflow.cluster.seeds")]
    public void InTheEnvironment(string name, string value, string key)
    {
        var line = MustRefuse(new Dictionary<string, string>(name.StartsWith("HOST", StringComparison.Ordinal) ? [] : Addressed) { [name] = value });
        Assert.Contains(key, line);
        Assert.Contains(value, line);
    }

    [Theory]
    [InlineData("freeflow {\n link { port = ", "line 2: { is not closed")]
    [InlineData("freeflow { link { port = [ } }", "line 1: } closes nothing")]
    [InlineData("freeflow {\n\n name = \"x }", "line 3: the quote is not closed")]
    [InlineData("# { [\nfreeflow { } }", "line 2: } closes nothing")]
    public void InAFileThatIsNoHocon(string text, string wrong)
    {
        var file = Path.Combine(_directory.FullName, "broken.conf");
        File.WriteAllText(file, text);
        var line = MustRefuse(Addressed, "--config", file);
        Assert.Contains("broken.conf", line);
        Assert.Contains(wrong, line);
    }

    [Fact]
    public void InAFileThatIsNotThere() => Assert.Contains("missing.conf", MustRefuse(Addressed, "--config", "/nowhere/missing.conf"));

    [Fact]
    public void WithoutAnAddressItSaysHowToGiveOne() => Assert.Contains("HOST_IP", MustRefuse([]));

    private static Dictionary<string, string> Addressed => new() { ["HOST_IP"] = "127.0.0.1" };

    private string MustRefuse(Dictionary<string, string> environment, params string[] options)
    {
        environment["FREEFLOW_DIR"] = _directory.FullName;
        environment["FREEFLOW_RUNTIME_DIR"] = _directory.FullName;
        var result = Shell.Run(TimeSpan.FromSeconds(20), environment, [_paths.RouterProgram, "run", .. options]);
        Assert.True(result.ExitCode is not 0 and not 124, result.Everything);
        var said = (result.Errors + result.Output).Trim();
        Assert.Single(said.Split('\n'));
        return said;
    }
}
