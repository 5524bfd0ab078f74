using Freeflow.Router.Configuration;
using Freeflow.Router.Doctor;

namespace Freeflow.Router.Tests.Configuration;

public sealed class SeedsAreConfigured : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    /// <summary>Every combination of ways that have something to go by: each keeps its place in the order.</summary>
    [Fact]
    public void InEveryCombination()
    {
        (string Way, string Variable, string Value)[] ways =
        [
            ("list", "FREEFLOW_SEEDS", "127.0.0.2"), ("file", "FREEFLOW_SEED_FILE", "/nowhere"), ("dns", "FREEFLOW_SEED_NAME", "routers.example"), ("tables", "HOST_IP_PREFIX", "127.0.0.0/8"),
        ];
        for (var which = 1; which < 1 << ways.Length; which++)
        {
            var set = ways.Where((_, at) => (which >> at & 1) != 0).ToList();
            var environment = set.ToDictionary(way => way.Variable, way => way.Value);
            Assert.Equal(set.Select(way => way.Way), Read(environment).Settings.By);
            Assert.Equal(set.Select(way => way.Way).Reverse(), Read(environment, "freeflow.cluster.seeds-by=tables,dns,file,list").Settings.By);
        }
    }

    [Fact]
    public void ByTheCommandLineBeforeTheEnvironmentBeforeTheFile()
    {
        File.WriteAllText(_file, "freeflow { host.ip = 127.0.0.1, cluster { port = 99, seeds = [\"10.0.0.1\", \"10.0.0.2:7\"], seed-name = \"of.the.file\" } }");
        Assert.Equal("10.0.0.1:99 10.0.0.2:7", Listed(Read([], file: _file)));
        Assert.Equal("10.0.0.3:99", Listed(Read(new() { ["FREEFLOW_SEEDS"] = "10.0.0.3" }, file: _file)));
        Assert.Equal("10.0.0.4:99", Listed(Read(new() { ["FREEFLOW_SEEDS"] = "10.0.0.3" }, "freeflow.cluster.seeds=10.0.0.4", _file)));
        Assert.Equal("of.the.file:99", $"{Read([], file: _file).Named}");
        Assert.Equal("of.the.environment:5", $"{Read(new() { ["FREEFLOW_SEED_NAME"] = "of.the.environment:5" }, file: _file).Named}");
    }

    [Fact]
    public void ByAnOperatorsOwnMethodToo()
    {
        File.WriteAllText(_file, "akka.discovery.mine.class = \"Mine, Mine\"");
        Assert.Equal(["mine", "list"], Read(new() { ["FREEFLOW_SEEDS"] = "127.0.0.2" }, "freeflow.cluster.seeds-by=mine,dns,list", _file).Settings.By);
        Assert.Throws<ConfigurationException>(() => Read([], "freeflow.cluster.seeds-by=yours", _file));
    }

    [Fact]
    public void WithoutAnyThePrefixIsAskedFor() =>
        Assert.Contains("HOST_IP_PREFIX=network/bits", Assert.Throws<ConfigurationException>(() => Read([])).Message);

    [Fact]
    public async Task AndTheDoctorSaysInWhichOrder()
    {
        File.WriteAllText(_file, "127.0.0.7\nhere there\n");
        var findings = await SeedChecks.OfAsync(Read(new() { ["FREEFLOW_SEED_FILE"] = _file, ["HOST_IP_PREFIX"] = "127.0.0.0/8" }));
        Assert.Equal([Verdict.Warn, Verdict.Ok], findings.Select(finding => finding.Verdict));
        Assert.Contains("\"here there\" is no seed", findings[0].What);
        Assert.Equal(
            $"127.0.0.7:4480 (by file), not this router, which therefore waits for them; asked in this order: file ({_file}), tables (127.0.0.0/8)", findings[1].What);
    }

    private static string Listed(SeedOptions seeds) => string.Join(' ', seeds.Listed);

    private static SeedOptions Read(Dictionary<string, string> environment, string? setting = null, string? file = null)
    {
        environment["HOST_IP"] = "127.0.0.1";
        return RouterOptionsReader.Read(ConfigurationLoader.Load(file, setting is null ? [] : [setting], environment.GetValueOrDefault)).Seeds;
    }
}
