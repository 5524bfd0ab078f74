using System.Globalization;
using System.Text.RegularExpressions;
using Freeflow.EndToEnd.Tests.Programs;

namespace Freeflow.EndToEnd.Tests.Router;

/// <summary>/metrics, /healthz and /readyz, asked by curl on the router's host.</summary>
[Trait("Tier", "All")]
public sealed partial class RouterCanBeWatched(LabFixture lab) : IClassFixture<LabFixture>
{
    private const string Url = "http://127.0.0.1:4484";
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    public void ARouterInItsClusterIsWell(string path) => Assert.Equal(("ok\n", 200), Get(path));

    [Fact]
    public void MetricsFollowTraffic()
    {
        var before = Metric("freeflow_engine_work_requests_total");
        new ProgramPair(lab, Placement.AcrossHosts).Run(s_bound, "ibv_rc_pingpong", "-n", "500");
        Assert.True(Metric("freeflow_engine_work_requests_total") - before >= 500);
        Assert.Equal(2, Metric("freeflow_cluster_members", "state=\"Up\""));
        Assert.Equal(1, Metric("freeflow_link_up"));
        Assert.True(Metric("freeflow_link_sent_bytes_total") > 0);
    }

    [Theory]
    [InlineData("/nothing", 404)]
    [InlineData("/../../etc/passwd", 404)]
    [InlineData("/metrics/%2e%2e/%2e%2e/etc/passwd", 404)]
    [InlineData("/healthz", 405, "-X", "DELETE")]
    [InlineData("/healthz", 405, "--data-binary", "@/bin/bash")]
    [InlineData("/healthz", 431, "-H", "X-Long: ")]
    public void NothingElseIsThere(string path, int status, params string[] words)
    {
        if (words is ["-H", var header])
            words = ["-H", header + new string('x', 60_000)];
        Assert.Equal(status, Get(path, ["--path-as-is", .. words]).Status);
        Assert.Equal(200, Get("/healthz").Status);
    }

    [Fact]
    public void APortThatIsTakenEndsTheStart()
    {
        var configuration = Path.Combine(lab.Hosts.Paths.Repository, "hocon/lab.conf");
        var result = lab.Hosts.ExecPrivileged("h1", TimeSpan.FromSeconds(120), "sh", "-c", $"""
            ip address add 127.5.5.5/32 dev lo; directory=$(mktemp -d)
            env -u HOST_IP_PREFIX FREEFLOW_SEEDS=127.5.5.5 HOST_IP=127.5.5.5 FFR_NAME=second timeout -k 5 100 freeflow run --config {configuration} \
                --set freeflow.directory=$directory --set freeflow.runtime-directory=$directory >$directory/log 2>&1
            status=$?; cat $directory/log; rm -r $directory; ip address del 127.5.5.5/32 dev lo; exit $status
            """);
        Assert.Equal(1, result.ExitCode);
        Assert.Matches("freeflow: the router can't start: .*4484.*", result.Output);
    }

    private double Metric(string name, string label = "")
    {
        var (text, status) = Get("/metrics");
        Assert.Equal(200, status);
        var line = Assert.Single(text.Split('\n'), line => line.StartsWith(name + "{", StringComparison.Ordinal) && line.Contains(label));
        return double.Parse(Value().Match(line).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    private (string Text, int Status) Get(string path, params string[] words)
    {
        var result = lab.Hosts.Exec("h1", s_bound, ["curl", "-sS", "-m", "20", "-w", "%{http_code}", .. words, Url + path]);
        Assert.True(result.ExitCode == 0, result.Everything);
        return (result.Output[..^3], int.Parse(result.Output[^3..], CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"\s(\S+)(\s\d+)?$")]
    private static partial Regex Value();
}
