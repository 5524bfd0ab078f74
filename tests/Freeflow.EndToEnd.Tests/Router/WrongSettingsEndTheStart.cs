using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Router;

/// <summary>A wrong value ends the start with one line that names the key, the value and what is accepted.</summary>
public sealed class WrongSettingsEndTheStart : IDisposable
{
    private readonly LabPaths _paths = LabPaths.Find();
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("freeflow-settings");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("freeflow.link.port=70000", "freeflow.link.port", "70000", "1 to 65535")]
    [InlineData("freeflow.admin.port=70000", "freeflow.admin.port", "70000", "0 to 65535")]
    [InlineData("freeflow.admin.address=everywhere", "freeflow.admin.address", "everywhere", "an IP address")]
    [InlineData("freeflow.cluster.look-for-seeds-every=never", "freeflow.cluster.look-for-seeds-every", "never", "500ms")]
    [InlineData("freeflow.cluster.form-after=0s", "freeflow.cluster.form-after", "0s", "500ms")]
    [InlineData("freeflow.cluster.missed-after=never", "freeflow.cluster.missed-after", "never", "500ms")]
    [InlineData("freeflow.cluster.seed-file=seeds", "freeflow.cluster.seed-file", "seeds", "an absolute path")]
    [InlineData("freeflow.cluster.seed-name=a b", "freeflow.cluster.seed-name", "a b", "address:port")]
    [InlineData("freeflow.cluster.seeds-by=dns,guess", "freeflow.cluster.seeds-by", "guess", "list, file, dns, tables")]
    [InlineData("freeflow.cluster.seeds-by=dns", "freeflow.cluster.seeds-by", "dns", "what it goes by")]
    [InlineData("freeflow.cluster.seeds-by=", "freeflow.cluster.seeds-by", "", "what it goes by")]
    [InlineData("freeflow.link.port=abc", "freeflow.link.port", "abc", "1 to 65535")]
    [InlineData("freeflow.link.prot=1", "freeflow.link.prot", "", "no such setting")]
    [InlineData("freeflow.engine.realtime-priority=100", "freeflow.engine.realtime-priority", "100", "0 to 99")]
    [InlineData("freeflow.shim.hello-timeout=soon", "freeflow.shim.hello-timeout", "soon", "")]
    [InlineData("freeflow.limits.registered-bytes=much", "freeflow.limits.registered-bytes", "much", "")]
    [InlineData("freeflow.limits.queue-pairs=5000", "freeflow.limits.queue-pairs", "5000", "1 to 4096")]
    [InlineData("freeflow.limits.address-handles=0", "freeflow.limits.address-handles", "0", "1 to 1000000")]
    [InlineData("freeflow.container-limits.completion-channels=none", "freeflow.container-limits.completion-channels", "none", "1 to 1000000")]
    [InlineData("freeflow.container-limits.multicast-attachments=-1", "freeflow.container-limits.multicast-attachments", "-1", "1 to 10000000")]
    [InlineData("freeflow.container-limits.queue-bytes=0", "freeflow.container-limits.queue-bytes", "0", "512m")]
    [InlineData("freeflow.container-limits.registered-bytes=all", "freeflow.container-limits.registered-bytes", "all", "512m")]
    [InlineData("freeflow.container-limits.shared-bytes=", "freeflow.container-limits.shared-bytes", "", "512m")]
    [InlineData("freeflow.link.congestion-control=hope", "freeflow.link.congestion-control", "hope", "cubic")]
    [InlineData("freeflow.link.encrypt=perhaps", "freeflow.link.encrypt", "perhaps", "true or false")]
    [InlineData("freeflow.tls.key=/nowhere/key.pem", "freeflow.tls.ca", "", "all three, or none")]
    [InlineData("freeflow.log-level=loud", "freeflow.log-level", "loud", "debug")]
    [InlineData("freeflow.host.prefix=10.9.8.0/24", "freeflow.host.prefix", "10.9.8.0/24", "has an address")]
    [InlineData("freeflow.host.prefix=everything", "freeflow.host.prefix", "everything", "192.168.50.0/24")]
    [InlineData("freeflow.policy.file=policy.conf", "freeflow.policy.file", "policy.conf", "an absolute path")]
    [InlineData("freeflow.policy.labels=labels", "freeflow.policy.labels", "labels", "an absolute path")]
    [InlineData("freeflow.policy.look-every=often", "freeflow.policy.look-every", "often", "500ms")]
    [InlineData("freeflow.name=../../etc/x", "freeflow.name", "../../etc/x", "")]
    [InlineData("freeflow.tcp.port=0", "freeflow.tcp.port", "0", "1 to 65535")]
    [InlineData("freeflow.tcp.port=70000", "freeflow.tcp.port", "70000", "1 to 65535")]
    [InlineData("freeflow.tcp.ipv6-port=http", "freeflow.tcp.ipv6-port", "http", "1 to 65535")]
    [InlineData("freeflow.tcp.local-ports=32768", "freeflow.tcp.local-ports", "32768", "32768-60999")]
    [InlineData("freeflow.tcp.local-ports=60999-32768", "freeflow.tcp.local-ports", "60999-32768", "32768-60999")]
    [InlineData("freeflow.tcp.local-ports=0-10", "freeflow.tcp.local-ports", "0-10", "32768-60999")]
    [InlineData("freeflow.tcp.local-ports=1-65536", "freeflow.tcp.local-ports", "1-65536", "32768-60999")]
    [InlineData("freeflow.tcp.local-ports=a-z", "freeflow.tcp.local-ports", "a-z", "32768-60999")]
    [InlineData("freeflow.tcp.acceleration=sometimes", "freeflow.tcp.acceleration", "sometimes", "learned, always, never")]
    [InlineData("freeflow.tcp.always=10.244.2.11,here", "freeflow.tcp.always", "here", "address:port")]
    [InlineData("freeflow.tcp.never=10.244.2.11:x", "freeflow.tcp.never", "10.244.2.11:x", "address:port")]
    [InlineData("freeflow.tcp.learning.short-bytes=few", "freeflow.tcp.learning.short-bytes", "few", "512m")]
    [InlineData("freeflow.tcp.learning.short-bytes=0", "freeflow.tcp.learning.short-bytes", "0", "512m")]
    [InlineData("freeflow.tcp.learning.short-time=soon", "freeflow.tcp.learning.short-time", "soon", "500ms")]
    [InlineData("freeflow.tcp.learning.in-a-row=0", "freeflow.tcp.learning.in-a-row", "0", "1 to 10000")]
    [InlineData("freeflow.tcp.learning.forget-after=never", "freeflow.tcp.learning.forget-after", "never", "500ms")]
    [InlineData("freeflow.tcp.privileged-containers=maybe", "freeflow.tcp.privileged-containers", "maybe", "true or false")]
    [InlineData("freeflow.tcp.realtime-priority=100", "freeflow.tcp.realtime-priority", "100", "0 to 99")]
    [InlineData("freeflow.tcp.sockets-per-container=0", "freeflow.tcp.sockets-per-container", "0", "1 to 60000")]
    [InlineData("freeflow.tcp.sockets-per-container=60001", "freeflow.tcp.sockets-per-container", "60001", "1 to 60000")]
    [InlineData("freeflow.tcp.unannounced-timeout=0s", "freeflow.tcp.unannounced-timeout", "0s", "500ms")]
    [InlineData("freeflow.tcp.max-unannounced=-1", "freeflow.tcp.max-unannounced", "-1", "1 to 100000")]
    [InlineData("freeflow.tcp.silence-timeout=-4s", "freeflow.tcp.silence-timeout", "-4s", "500ms")]
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

    [Theory]
    [InlineData("tcp.always", "here", "address:port")]
    [InlineData("tcp.always", "10.244.2.11:0", "address:port")]
    [InlineData("tcp.always", "10.244.2.11:65536", "address:port")]
    [InlineData("tcp.always", "10.244.2.11:80:81", "address:port")]
    [InlineData("tcp.never", "fd00::1", "address:port")]
    [InlineData("tcp.never", "10.244.2.0/24", "address:port")]
    [InlineData("tcp.never", "10.244", "address:port")]
    [InlineData("tenant-bridges", "blue", "TENANT=BRIDGE")]
    [InlineData("tenant-bridges", "=br-blue", "TENANT=BRIDGE")]
    [InlineData("tenant-bridges", "blue=", "TENANT=BRIDGE")]
    [InlineData("tenant-bridges", "a/b=br-blue", "TENANT=BRIDGE")]
    [InlineData("tenant-bridges", "blue=a-name-too-long-for-one", "TENANT=BRIDGE")]
    [InlineData("tenant-bridges", "blue=br-1\", \"green=br-1", "each bridge once")]
    public void InAList(string key, string entry, string accepted)
    {
        var file = Path.Combine(_directory.FullName, "list.conf");
        File.WriteAllText(file, $"freeflow.{key} = [\"{entry}\"]");
        var line = MustRefuse(Addressed, "--config", file);
        Assert.Contains($"freeflow.{key}", line);
        Assert.Contains(entry.Split('"')[^1], line);
        Assert.Contains(accepted, line);
    }

    [Theory]
    [InlineData("cluster.seeds")]
    [InlineData("tcp.always")]
    [InlineData("tcp.never")]
    [InlineData("tenant-bridges")]
    public void InAListThatIsNone(string key)
    {
        var file = Path.Combine(_directory.FullName, "text.conf");
        File.WriteAllText(file, $"freeflow.{key} = \"10.244.2.11\"");
        var line = MustRefuse(Addressed, "--config", file);
        Assert.Contains($"freeflow.{key} = \"10.244.2.11\"", line);
        Assert.Contains("a list", line);
    }

    [Fact]
    public void CertificatesThatAreNotThere() => Assert.Contains(
        "freeflow.tls is not accepted: /nowhere/ca.pem can't be read",
        MustRefuse(Seeded, "--set", "freeflow.tls.ca=/nowhere/ca.pem", "--set", "freeflow.tls.certificate=/nowhere/own.pem", "--set", "freeflow.tls.key=/nowhere/key.pem"));

    [Fact]
    public void InAFileThatIsNotThere() => Assert.Contains("missing.conf", MustRefuse(Addressed, "--config", "/nowhere/missing.conf"));

    [Theory]
    [InlineData("tenants {\n one { addresses = [\"here\"] }\n}", "line 2, column 21", "\"here\" is no address")]
    [InlineData("tenants {", "line 1, column 9", "{ is not closed")]
    public void InThePolicy(string text, string place, string wrong)
    {
        var file = Path.Combine(_directory.FullName, "policy.conf");
        File.WriteAllText(file, text);
        var line = MustRefuse(Seeded, "--set", $"freeflow.policy.file={file}");
        Assert.Contains($"{file}: {place}: {wrong}", line);
    }

    [Fact]
    public void InAPolicyThatIsNoFile() => Assert.Contains(
        $"{_directory.FullName} can't be read", MustRefuse(Seeded, "--set", $"freeflow.policy.file={_directory.FullName}"));

    [Fact]
    public void InAPolicyThatNobodyWrites()
    {
        var file = Path.Combine(_directory.FullName, "fifo");
        Shell.Script($"mkfifo {file}");
        Assert.Contains($"{file} can't be read: it has not been read within", MustRefuse(Seeded, "--set", $"freeflow.policy.file={file}"));
    }

    [Fact]
    public void WithoutAnAddressItSaysHowToGiveOne() => Assert.Contains("HOST_IP", MustRefuse([]));

    [Fact]
    public void WithoutSeedsOrAPrefixItSaysHowToFindOthers()
    {
        var line = MustRefuse(Addressed);
        Assert.Contains("freeflow.host.prefix is not set: expected HOST_IP_PREFIX=network/bits", line);
        Assert.Contains("FREEFLOW_SEEDS=127.0.0.1", line);
    }

    [Theory]
    [InlineData("192.168.50.0/33", "a network such as")]
    [InlineData("10.9.8.0/24", "that freeflow.host.ip, 127.0.0.1, is in")]
    [InlineData("fd00::/64", "that freeflow.host.ip, 127.0.0.1, is in")]
    public void APrefixThatTheAddressIsNotIn(string prefix, string accepted)
    {
        var line = MustRefuse(new(Addressed) { ["HOST_IP_PREFIX"] = prefix });
        Assert.Contains($"freeflow.host.prefix = \"{prefix}\"", line);
        Assert.Contains(accepted, line);
    }

    private static Dictionary<string, string> Addressed => new() { ["HOST_IP"] = "127.0.0.1" };

    /// <summary>Everything that must be given.</summary>
    private static Dictionary<string, string> Seeded => new(Addressed) { ["FREEFLOW_SEEDS"] = "127.0.0.1" };

    private string MustRefuse(Dictionary<string, string> environment, params string[] options)
    {
        environment["FREEFLOW_DIR"] = _directory.FullName;
        environment["FREEFLOW_RUNTIME_DIR"] = _directory.FullName;
        var result = Shell.Run(TimeSpan.FromSeconds(60), environment, [_paths.RouterProgram, "run", .. options]);
        Assert.True(result.ExitCode is not 0 and not 124, result.Everything);
        var said = (result.Errors + result.Output).Trim();
        Assert.Single(said.Split('\n'));
        return said;
    }
}
