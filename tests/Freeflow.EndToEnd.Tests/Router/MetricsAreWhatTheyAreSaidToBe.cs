using System.Text.Json;
using System.Text.RegularExpressions;
using Freeflow.EndToEnd.Tests.Programs;
using Freeflow.EndToEnd.Tests.Tcp.Programs;
using Freeflow.Lab;

namespace Freeflow.EndToEnd.Tests.Router;

/// <summary>A router's metrics after some traffic, and what the documentation, the board and the alerts say of them.</summary>
[Trait("Tier", "All")]
public sealed partial class MetricsAreWhatTheyAreSaidToBe : IClassFixture<LabFixture>, IDisposable
{
    private const int Messages = 400;
    private const int Size = 4096;
    private const int NobodysPort = 9;
    private const string Client = "h1c1";
    private const string Server = "h2c1";

    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    private readonly LabFixture _lab;
    private readonly ScratchDirectory _directory = new();

    public MetricsAreWhatTheyAreSaidToBe(LabFixture lab)
    {
        _lab = lab;

        // A device and a plain destination, so that each kind of series is there.
        new ProgramPair(lab, Placement.AcrossHosts).Run(s_bound, "ibv_rc_pingpong", "-n", "10");
        lab.Hosts.Exec(Client, s_bound, "bash", "-c", $": 3<>/dev/tcp/{LabFixture.AddressOf(Server)}/{NobodysPort} || :");
    }

    public void Dispose() => _directory.Dispose();

    private static string Repository => LabPaths.Find().Repository;

    [Fact]
    public void TheDocumentationNamesEachAndNoOther()
    {
        var documented = File.ReadLines(Path.Combine(Repository, "docs/metrics.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal) && !line.StartsWith("| `/", StringComparison.Ordinal))
            .SelectMany(line => Quoted().Matches(line.Split('|')[1]).Select(name => "freeflow_" + name.Groups[1].Value))
            .ToHashSet();
        var told = Names(Scrape()).Where(name => name.StartsWith("freeflow_", StringComparison.Ordinal)).ToHashSet();
        Assert.Empty(told.Except(documented).Select(name => "not documented: " + name));
        Assert.Empty(documented.Except(told).Select(name => "not there: " + name));
    }

    [Theory]
    [InlineData("deploy/grafana/freeflow.json")]
    [InlineData("deploy/prometheus/alerts.yaml")]
    public void BoardAndAlertsNameOnlyWhatIsThere(string file)
    {
        var text = File.ReadAllText(Path.Combine(Repository, file));
        if (file.EndsWith(".json", StringComparison.Ordinal))
            Assert.True(JsonDocument.Parse(text).RootElement.GetProperty("panels").GetArrayLength() > 10);
        var used = Used().Matches(text).Select(match => match.Value).ToHashSet();
        Assert.True(used.Count >= 10, $"{used.Count} names");
        Assert.Empty(used.Except(Names(Scrape())));
    }

    [SkippableFact]
    public void PrometheusTakesAlertsAndMetrics()
    {
        Skip.IfNot(File.Exists("/usr/bin/promtool"), "there is no promtool; ./prerequisites --tests installs it");
        var rules = Shell.Run(s_bound, null, "promtool", "check", "rules", Path.Combine(Repository, "deploy/prometheus/alerts.yaml"));
        Assert.True(rules.ExitCode == 0, rules.Everything);

        // 3: it can be read, and promtool would call something otherwise.
        var metrics = Shell.Run(s_bound, null, "sh", "-c", $"promtool check metrics <{_directory.Write("metrics", Scrape())}");
        Assert.True(metrics.ExitCode is 0 or 3, metrics.Everything);
    }

    [Fact]
    public void WhatAContainerSendsIsCountedForItAndForThePeer()
    {
        // The figures of a container are its own for as long as it is known.
        using var known = _lab.StartListening(Client, 18516, "ibv_rc_pingpong", "-p", "18516");
        var (sent, messages, peer) = (Of("freeflow_container_sent_bytes_total"), Of("freeflow_container_sent_messages_total"), Sum("freeflow_peer_sent_bytes_total", "192.168.50.2:4480"));
        var (done, waits) = (Sum("freeflow_container_completions_total", LabFixture.AddressOf(Client), "status=\"Success\""), Sum("freeflow_engine_doorbell_wait_seconds_count"));
        new ProgramPair(_lab, Placement.AcrossHosts).Run(s_bound, "ibv_rc_pingpong", "-n", $"{Messages}", "-s", $"{Size}");

        // At once: what is told is never older than the question.
        Assert.Equal(Messages * Size, Of("freeflow_container_sent_bytes_total") - sent);
        Assert.Equal(Messages, Of("freeflow_container_sent_messages_total") - messages);
        Assert.InRange(Of("freeflow_container_received_bytes_total"), Messages * Size, double.MaxValue);
        Assert.Equal(2 * Messages, Sum("freeflow_container_completions_total", LabFixture.AddressOf(Client), "status=\"Success\"") - done);
        Assert.True(Sum("freeflow_peer_sent_bytes_total", "192.168.50.2:4480") - peer > Messages * Size);
        Assert.True(Sum("freeflow_engine_doorbell_wait_seconds_count") > waits);
        Assert.Equal(Sum("freeflow_engine_doorbell_wait_seconds_count"), Sum("freeflow_engine_doorbell_wait_seconds_bucket", "le=\"+Inf\""));
        Assert.Equal(1, Sum("freeflow_peer_link_up"));
    }

    [Fact]
    public void RegisteredBytesAndQueuePairsAreThoseThatThereAre()
    {
        using var holder = _lab.StartListening(Client, 18515, "ibv_rc_pingpong", "-s", $"{1 << 20}");
        WaitFor.That("registered bytes of the container", s_bound, () => Of("freeflow_container_registered_bytes") >= 1 << 20);
        Assert.Equal(1, Of("freeflow_container_queue_pairs"));
    }

    [Fact]
    public void TimePassesAsleepAndBusy()
    {
        var (asleep, busy) = (Sum("freeflow_engine_asleep_seconds_total"), Sum("freeflow_engine_busy_seconds_total"));
        // One that has nothing to do does not wake.
        new ProgramPair(_lab, Placement.AcrossHosts).Run(s_bound, "ibv_rc_pingpong", "-n", "10");
        WaitFor.That("a second asleep and some time awake", s_bound,
            () => Sum("freeflow_engine_asleep_seconds_total") > asleep + 1 && Sum("freeflow_engine_busy_seconds_total") > busy);
    }

    private double Of(string metric) => Sum(metric, $"address=\"{LabFixture.AddressOf(Client)}\"");

    private double Sum(string metric, params string[] labels) => Metrics.Sum(_lab, "h1", metric, labels);

    private string Scrape() => Metrics.Of(_lab, "h1");

    private static HashSet<string> Names(string metrics) =>
        [.. metrics.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line[..line.IndexOfAny(['{', ' '])])];

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\b(freeflow|dotnet)_[a-z_]+\b")]
    private static partial Regex Used();
}
